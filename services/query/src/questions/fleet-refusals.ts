/*
 * `fleetRefusals`: how many records did collectors refuse, of which application and why? Records of no application are
 * only for callers who may read all.
 */
import { resolveWindow } from '../figures/time-window.js';
import { fleetQuestion } from './question.js';
import { askRefused, REFUSALS_BOUNDS, refusalsOf } from './refused-records.js';

export const fleetRefusals = fleetQuestion('fleetRefusals', {
  bounds: REFUSALS_BOUNDS,
  source: 'accounts',
  plan: ({ query, nowMs }) => ({ window: resolveWindow(query, nowMs), stepMs: null, points: 0 }),
  answer: async ({ ask, namesOf, scope, window, signal }) => {
    const rows = await askRefused(ask, scope, window, signal);
    const byApplication = Map.groupBy(rows, (row) => row.sdk_app_id);
    const nameOf = await namesOf([...byApplication.keys()], signal);
    const applications = Array.from(byApplication, ([id, ofOne]) => ({
      sdk_app_id: id === 0 ? null : id,
      ...nameOf(id),
      ...refusalsOf(ofOne),
    })).toSorted((a, b) => b.records - a.records);
    const [first] = rows;
    const leftOut = (first?.pairs ?? 0) - rows.length;
    return { data: { records: first?.total ?? 0, applications, left_out: leftOut } };
  },
});
