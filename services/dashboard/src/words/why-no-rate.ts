/*
 * Why a set of requests has no success rate.
 */
import type { OutcomeCounts } from '@imscope/schemas/query-api/values.js';
import { texts } from './texts.js';

/** Of counts whose success rate is null. */
export function whyNoRate({ caller_error: callerErrors, unknown }: OutcomeCounts): string {
  const words = texts.figure.whyNoRate;
  if (callerErrors === 0) return unknown === 0 ? words.noRequests : words.noCodes;
  return unknown === 0 ? words.callersOnly : words.callersAndNoCodes;
}
