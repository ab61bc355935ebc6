/*
 * What part of all requests a group is: far more of all failures than of all successes says that failures come from there.
 */
import type { BreakdownRow } from '@imscope/schemas/query-api/breakdown.js';
import type { Sums } from './sums.js';

type Counted = Pick<Sums, 'requests' | 'success' | 'service_error'>;
type Shares = Pick<BreakdownRow, 'share_of_requests' | 'share_of_failures' | 'share_of_successes'>;

/** @param part undefined where there was no request */
export function sharesOf(part: Counted | undefined, all: Counted): Shares {
  return {
    share_of_requests: share(part?.requests, all.requests),
    share_of_failures: share(part?.service_error, all.service_error),
    share_of_successes: share(part?.success, all.success),
  };
}

function share(part = 0, all: number): number | null {
  return all === 0 ? null : part / all;
}
