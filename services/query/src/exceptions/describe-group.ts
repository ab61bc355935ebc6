/*
 * A group of failures as answers show it: what it is, how often, since when, whether it is new or came back.
 */
import { describeCode } from '@imscope/schemas/codes/catalogue.js';
import type {
  ExceptionGroup,
  ExceptionSample,
  Mute,
  TopValue,
} from '@imscope/schemas/query-api/exceptions.js';
import { stepsOf, timeText, type TimeWindow } from '../figures/time-window.js';
import { type Failures, mainOutcome } from './failure-groups.js';
import { type History, silentHours } from './history.js';

export type GroupFacts = {
  readonly window: TimeWindow;
  readonly stepMs: number;
  readonly newSinceMs: number;
  readonly silenceHours: number;
  readonly history: History;
  /** All failures that the question counts. */
  readonly requests: number;
  readonly mutes: ReadonlyMap<string, Mute>;
  readonly samplesOf: (failures: Failures) => ExceptionSample[];
  /** How many applications a group of one application has. */
  readonly applications: (failures: Failures) => number;
};

const INTERFACES_MAX = 5;

export function describeGroup(failures: Failures, facts: GroupFacts): ExceptionGroup {
  const { id, exception, code, cause, outcomes, requests, trend, places } = failures;
  const { name, advice } = describeCode(code);
  const interfaces = valuesOf(places.interface);
  return {
    id,
    exception,
    code,
    cause,
    name,
    advice,
    outcomes,
    outcome: mainOutcome(outcomes),
    count: requests,
    share: facts.requests === 0 ? 0 : requests / facts.requests,
    ...seenOf(failures, facts),
    muted: facts.mutes.get(id) ?? null,
    trend: stepsOf(facts.window, facts.stepMs).map(
      ({ startMs }) => trend.get(Math.floor(startMs / facts.stepMs)) ?? 0,
    ),
    interfaces: interfaces.slice(0, INTERFACES_MAX),
    interfaces_total: interfaces.length,
    nodes: valuesOf(places.node).length,
    regions: valuesOf(places.region).length,
    applications: facts.applications(failures),
    samples: facts.samplesOf(failures),
  };
}

function seenOf({ id, firstMs, lastMs }: Failures, facts: GroupFacts) {
  const { history, window, newSinceMs, silenceHours } = facts;
  const seen = history.groups.get(id);
  const firstSeenMs = Math.min(seen?.firstMs ?? firstMs, firstMs);
  const silent = silentHours(history, seen, window.fromMs, [firstMs, lastMs]);
  const isRegressed = silent >= silenceHours;
  return {
    first_seen: timeText(firstSeenMs),
    last_seen: timeText(Math.max(seen?.lastMs ?? lastMs, lastMs)),
    is_new: firstSeenMs >= newSinceMs,
    is_regressed: isRegressed,
    silent_hours: isRegressed ? silent : null,
  };
}

/** Most frequent first; values that the source does not name are left out. */
export function valuesOf(counts: ReadonlyMap<string, number> | undefined): TopValue[] {
  return [...(counts ?? [])]
    .filter(([value]) => value !== '')
    .map(([value, count]) => ({ value, count }))
    .toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
}
