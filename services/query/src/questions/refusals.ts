/*
 * `refusals`: how many records of an application did collectors refuse, and why?
 */
import { planWindow } from '../figures/plan.js';
import { applicationQuestion } from './question.js';
import { askRefused, REFUSALS_BOUNDS, refusalsOf } from './refused-records.js';

export const refusals = applicationQuestion('refusals', {
  bounds: REFUSALS_BOUNDS,
  source: 'accounts',
  plan: planWindow,
  answer: async ({ ask, sdkAppId, window, signal }) => {
    const rows = await askRefused(ask, { kind: 'only', applications: [sdkAppId] }, window, signal);
    return { data: refusalsOf(rows) };
  },
});
