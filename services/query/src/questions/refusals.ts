/*
 * `refusals`: how many records of an application did collectors refuse, and why?
 */
import { planWindow } from '../figures/plan.js';
import { scopeOf } from '../figures/subject.js';
import { requestQuestion } from './question.js';
import { askRefused, REFUSALS_BOUNDS, refusalsOf } from './refused-records.js';

export const refusals = requestQuestion('refusals', {
  bounds: REFUSALS_BOUNDS,
  source: 'accounts',
  plan: planWindow,
  answer: async ({ ask, subject, window, signal }) => {
    const rows = await askRefused(ask, scopeOf(subject), window, signal);
    return { data: refusalsOf(rows) };
  },
});
