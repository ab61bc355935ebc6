/*
 * `npm run bench:grouping -- --data DIR`: how well `services/query/src/grouping` groups messages, compared with labels.
 * Each figure is one JSON line; see scripts/bench/docs/grouping.md.
 */
import { fileURLToPath } from 'node:url';
import { normaliseCause, withoutCodes } from '@imscope/query/grouping/normalise-shape.js';
import { figure, type Goal, printFigure, say } from '../figure.js';
import { type LabelledSet, readLabelledSet, readLabelledSets } from './labelled-set.js';
import { readGroupingOptions } from './options.js';
import { type Score, scoreGroups } from './score.js';

const MEAN_ACCURACY: Goal = { bound: 'at_least', limit: 0.95 };
const MEAN_F1: Goal = { bound: 'at_least', limit: 0.9 };
const OWN_F1: Goal = { bound: 'at_least', limit: 0.98 };

const { data } = readGroupingOptions(process.argv.slice(2));
if (data === '') {
  say('no --data: sets of LogHub are not measured, only the own messages');
} else {
  reportSets(await readLabelledSets(data));
}
await reportOwn();

function reportSets(sets: readonly LabelledSet[]): void {
  const merged = sets.map((set) => {
    const score = scoreSet(set, (content) => withoutCodes(normaliseCause(content)));
    report(set.name, score);
    report(`${set.name}_codes_kept`, scoreSet(set, normaliseCause));
    return score;
  });
  const accuracies = merged.map(({ groupingAccuracy }) => groupingAccuracy);
  printFigure(figure('sets', sets.length, 'count'));
  printFigure(figure('mean_accuracy', meanOf(accuracies), 'share', { goal: MEAN_ACCURACY }));
  printFigure(figure('mean_f1', meanOf(merged.map(({ groupF1 }) => groupF1)), 'share', { goal: MEAN_F1 }));
}

async function reportOwn(): Promise<void> {
  const own = await readLabelledSet(fileURLToPath(new URL('own-messages.csv', import.meta.url)));
  if (own === undefined) throw new Error('own-messages.csv has not the columns Content and EventId');
  report('own', scoreSet(own, normaliseCause), OWN_F1);
  const rounds = 20;
  const startMs = performance.now();
  for (let round = 0; round < rounds; round++)
    for (const { content } of own.messages) normaliseCause(content);
  const tookMs = performance.now() - startMs;
  printFigure(figure('own_time', (tookMs * 1_000) / (rounds * own.messages.length), 'us a message'));
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function scoreSet({ messages }: LabelledSet, groupOf: (content: string) => string): Score {
  return scoreGroups(
    messages.map(({ content }) => groupOf(content)),
    messages.map(({ label }) => label),
  );
}

function report(name: string, { groupingAccuracy, groupF1, groups, labels }: Score, goal?: Goal): void {
  printFigure(figure(`${name}_accuracy`, groupingAccuracy, 'share'));
  printFigure(figure(`${name}_f1`, groupF1, 'share', goal === undefined ? {} : { goal }));
  printFigure(figure(`${name}_groups`, groups, 'count', { peer: labels }));
}
