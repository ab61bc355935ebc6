/*
 * `dlq ls`: every dead letter on a line, and how many there are of each reason. The newest are kept while all are
 * read, so memory is bounded by the limit, not by the topic.
 */
import { type DeadLetter, formatPlace } from './dead-letter-entry.js';
import { type LetterFilter, type LetterSource, isChosen, readAllLetters } from './choose-letters.js';
import {
  type TerminalStyle,
  age,
  count,
  fitMiddle,
  paint,
  plural,
  printable,
  shortCount,
} from './terminal-text.js';

/** A letter without its bytes. */
export type LetterLine = {
  readonly place: string;
  readonly died: string;
  readonly reason: string;
  readonly topic: string | null;
  readonly partition: number | null;
  readonly offset: number | null;
  readonly batch: string | null;
  /** As its header says. */
  readonly records: number | null;
  readonly bytes: number;
};

export type LetterList = {
  /** The newest, oldest of them first. */
  readonly lines: readonly LetterLine[];
  readonly chosen: number;
  /** All that there are, also those the filter does not choose. */
  readonly letters: number;
  /** All that there are, by reason, most frequent first; of the chosen. */
  readonly byReason: readonly {
    readonly reason: string;
    readonly letters: number;
    readonly records: number;
  }[];
  /** Parts of the topic that could not be read, as descriptions. */
  readonly unread: readonly string[];
};

export async function listLetters(
  source: LetterSource,
  filter: LetterFilter,
  limit: number,
): Promise<LetterList> {
  const kept: { diedMs: number; line: LetterLine }[] = [];
  const reasons = new Map<string, { letters: number; records: number }>();
  let chosen = 0;
  let letters = 0;
  const unread = await readAllLetters(source, (letter) => {
    letters += 1;
    if (!isChosen(letter, filter, source.topicPrefix)) return;
    chosen += 1;
    const known = reasons.get(letter.reason) ?? { letters: 0, records: 0 };
    known.letters += 1;
    known.records += letter.recordsClaimed ?? 0;
    reasons.set(letter.reason, known);
    kept.push({ diedMs: letter.diedMs, line: lineOf(letter) });
    if (kept.length >= limit * 2 + 100) keepNewest(kept, limit);
  });
  keepNewest(kept, limit);
  return {
    lines: kept.map(({ line }) => line),
    chosen,
    letters,
    unread,
    byReason: [...reasons]
      .map(([reason, sums]) => ({ reason, ...sums }))
      .toSorted((a, b) => b.letters - a.letters || (a.reason < b.reason ? -1 : 1)),
  };
}

function keepNewest(kept: { diedMs: number }[], limit: number): void {
  kept.sort((a, b) => a.diedMs - b.diedMs);
  kept.splice(0, Math.max(0, kept.length - limit));
}

function lineOf({ place, diedMs, reason, origin, batch, recordsClaimed, value }: DeadLetter): LetterLine {
  return {
    place: formatPlace(place),
    died: new Date(diedMs).toISOString(),
    reason,
    topic: origin?.topic ?? null,
    partition: origin?.partition ?? null,
    offset: origin?.offset ?? null,
    batch: batch === undefined ? null : `${batch.boot}:${batch.partition}:${batch.sequence}`,
    records: recordsClaimed ?? null,
    bytes: value?.length ?? 0,
  };
}

const COLUMNS = ['PLACE', 'DIED', 'REASON', 'FROM', 'BATCH', 'RECORDS', 'BYTES'] as const;
const RIGHT = new Set(['RECORDS', 'BYTES']);
const BATCH_WIDTH_MIN = 5;

/** In a terminal no line is longer than it is wide: the batch's id gives way. */
export function describeList(
  list: LetterList,
  style: TerminalStyle,
  topicPrefix: string,
  nowMs: number,
): string {
  const { lines, chosen, letters, byReason } = list;
  if (letters === 0) return 'No dead letters.\n';
  if (chosen === 0) return `None of ${plural(letters, 'dead letter')} is chosen by the filter.\n`;
  const narrow = style.columns !== undefined && style.columns < 110;
  const number = narrow ? shortCount : count;
  const rows = lines.map((line) => [
    line.place,
    narrow ? age(nowMs - Date.parse(line.died)) : line.died.replace(/\.\d+Z$/, 'Z'),
    printable(line.reason, 20),
    line.topic === null ? '-' : `${shortTopic(line.topic, topicPrefix)} ${line.partition}:${line.offset}`,
    line.batch ?? '-',
    line.records === null ? '-' : number(line.records),
    number(line.bytes),
  ]);
  const left = leftOut(list);
  return [
    ...table(rows, style),
    '',
    ...byReason.map(
      ({ reason, letters, records }) =>
        `${printable(reason, 20).padEnd(20)} ${plural(letters, 'letter').padStart(14)}  ${plural(records, 'record')} claimed`,
    ),
    ...(left === 0
      ? []
      : [paint(style, 'dim', `${count(left)} older ones are not shown: --limit gives more`)]),
    '',
  ].join('\n');
}

/** Dead letters that are chosen and not listed: the oldest. */
export function leftOut({ chosen, lines }: LetterList): number {
  return chosen - lines.length;
}

function shortTopic(topic: string, topicPrefix: string): string {
  const own = topic.startsWith(topicPrefix) ? topic.slice(topicPrefix.length) : topic;
  return printable(own.replace(/^im\./, ''), 24);
}

function table(rows: readonly (readonly string[])[], style: TerminalStyle): string[] {
  const widths = COLUMNS.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const batch = COLUMNS.indexOf('BATCH');
  const total = widths.reduce((sum, width) => sum + width, 0) + 2 * (COLUMNS.length - 1);
  const over = style.columns === undefined ? 0 : Math.max(0, total - (style.columns - 1));
  widths[batch] = Math.max(BATCH_WIDTH_MIN, (widths[batch] ?? 0) - over);
  const lineOfCells = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        const fitted = column === batch ? fitMiddle(cell, width) : cell;
        return RIGHT.has(COLUMNS[column] ?? '') ? fitted.padStart(width) : fitted.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [paint(style, 'bold', lineOfCells(COLUMNS)), ...rows.map(lineOfCells)];
}
