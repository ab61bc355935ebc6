/*
 * When retired incarnations accepted records whose metrics may be lost with them: their logs are stored, and the metrics
 * of the same minutes lack them. Pure.
 */
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Evidence } from '../evidence/evidence.js';
import { holds } from '../retirement/booked-retirement.js';
import type { TimeSpan } from '../time-span.js';
import { coveredBy } from './settled-until.js';

/**
 * @param openMs how long a record may be in a metric window that is not written yet. Records that are later than their
 * window are left out: few are.
 */
export function unmeasuredSpans(evidence: Evidence, openMs: number): TimeSpan[] {
  const isCovered = coveredBy(evidence, TOPICS.interfaceMetric.name);
  return [...evidence.retirements.values()].filter(holds).map(({ boot, acceptedFromMs, acceptedToMs }) => {
    const recent = evidence.recent.filter((account) => account.boot === boot);
    const covered = recent.filter(isCovered).map(({ account_time: time }) => time);
    const known = covered.length > 0 ? Math.max(...covered) : Math.min(acceptedFromMs, ...recent.map(timeOf));
    return { fromMs: known - openMs, toMs: acceptedToMs };
  });
}

function timeOf({ account_time: time }: Evidence['recent'][number]): number {
  return time;
}
