/*
 * `exceptions`, `fleetExceptions`: what goes wrong, where, since when and why? Every request that we failed
 * (service_error), and every other that carries an exception, in groups of one exception, code and normalised cause.
 */
import type { ExceptionGroup, Exceptions, ExceptionsQuery } from '@imscope/schemas/query-api/exceptions.js';
import { describeGroup, type GroupFacts } from '../exceptions/describe-group.js';
import { FAILURES_BOUNDS, readFailures } from '../exceptions/failure-groups.js';
import type { Place } from '../exceptions/failure-sql.js';
import { type PlanHistory, planHistory } from '../exceptions/plan-history.js';
import { readSamples } from '../exceptions/samples.js';
import { timeText } from '../figures/time-window.js';
import { type RequestDefinition, requestQuestion } from './question.js';

/** Service errors are listed before others, the most frequent of each; the answer says how much is left out. */
const GROUPS_MAX = 200;

type ListQuestion = 'exceptions' | 'fleetExceptions';
type Definition = RequestDefinition<ListQuestion, PlanHistory>;

const answerList: Definition['answer'] = async (input) => {
  const { ask, plan, window, subject, query, nowMs, historyOf, mutesOf, signal } = input;
  const { filter, stepMs, newSinceMs, silenceHours } = plan;
  const places: readonly Place[] = [
    'interface',
    'node',
    'region',
    ...(subject.kind === 'fleet' ? PER_FLEET : []),
  ];
  const [found, history, { mutes, isKnown }] = await Promise.all([
    readFailures(ask, filter, { stepMs, places, signal }),
    historyOf(subject, nowMs),
    mutesOf(subject, nowMs),
  ]);
  const wanted = found.groups.filter(({ id }) => isWanted(query.muted, mutes.has(id)));
  const listed = wanted.slice(0, GROUPS_MAX);
  const facts: GroupFacts = {
    window,
    stepMs,
    newSinceMs,
    silenceHours,
    history,
    mutes,
    requests: found.requests,
    samplesOf: await readSamples(ask, filter, listed, signal),
    applications: ({ places: { application } }) => application?.size ?? 1,
  };
  const groups = listed.map((failures) => describeGroup(failures, facts));
  return { data: answerOf(groups, found, { newSinceMs, history, mutesKnown: isKnown }) };
};

const PER_FLEET = ['application'] as const;

function isWanted(muted: ExceptionsQuery['muted'], isMuted: boolean): boolean {
  if (muted === 'hide') return !isMuted;
  return muted !== 'only' || isMuted;
}

function answerOf(
  groups: ExceptionGroup[],
  found: Awaited<ReturnType<typeof readFailures>>,
  { newSinceMs, history, mutesKnown }: Pick<GroupFacts, 'newSinceMs' | 'history'> & { mutesKnown: boolean },
): Exceptions {
  const count = groups.reduce((sum, group) => sum + group.count, 0);
  return {
    groups,
    groups_left_out: found.groups.length - groups.length,
    count_left_out: found.requests - found.ungrouped.count - count,
    failures: { groups: found.groups.length, count: found.requests },
    ungrouped: found.ungrouped,
    mutes_known: mutesKnown,
    new_since: timeText(newSinceMs),
    history: { from: timeText(history.fromMs), is_complete: history.isComplete },
  };
}

const DEFINITION: Definition = {
  bounds: FAILURES_BOUNDS,
  source: 'logs',
  plan: planHistory,
  answer: answerList,
};

export const exceptions = requestQuestion<'exceptions', PlanHistory>('exceptions', DEFINITION);
export const fleetExceptions = requestQuestion<'fleetExceptions', PlanHistory>('fleetExceptions', DEFINITION);
