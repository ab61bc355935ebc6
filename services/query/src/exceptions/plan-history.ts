/*
 * The plan of the questions about exceptions: window, steps and filter as elsewhere, since when a group is new, and how
 * long it must have been silent to count as regressed.
 */
import type { RequestFilters } from '@imscope/schemas/query-api/filter-parameters.js';
import type { PersonalQuery } from '../figures/personal-filter.js';
import { type PlanInput, planSteps, type RequestPlan } from '../figures/plan.js';
import { resolveTime } from '../figures/time-window.js';

export type PlanHistory = RequestPlan & {
  readonly stepMs: number;
  readonly newSinceMs: number;
  readonly silenceHours: number;
};

type HistoryQuery = RequestFilters &
  PersonalQuery & {
    readonly from?: string;
    readonly to?: string;
    readonly step?: string;
    readonly new_since?: string;
    readonly silence?: string;
  };

const SILENCE_HOURS_DEFAULT = 24;

/** Throws `HttpError` invalid_parameter. */
export function planHistory(input: PlanInput<HistoryQuery>): PlanHistory {
  const { query, nowMs } = input;
  const plan = planSteps(input);
  return {
    ...plan,
    newSinceMs:
      query.new_since === undefined ? plan.window.fromMs : resolveTime('new_since', query.new_since, nowMs),
    silenceHours: query.silence === undefined ? SILENCE_HOURS_DEFAULT : Number.parseInt(query.silence, 10),
  };
}
