/*
 * Owns the one incident of a history: an error burst while the application is busiest, yesterday if the history
 * includes it, so that it is clearly visible on a page.
 */
import type { Application } from './applications.js';
import { incident, type Incident } from './incidents.js';
import { rhythm } from './rhythm.js';

const HOUR_MS = 3_600_000;
const LASTS_MS = 1.5 * HOUR_MS;
/** A shorter history has an incident of this share of it. */
const SHARE_MAX = 0.1;
/** Looked for in the day that ends so long before the end. */
const BEFORE_END_MS = 12 * HOUR_MS;
const CANDIDATES = 96;

/** The incident of a history; in one of less than 36 hours it lies anywhere but at the edges. */
export function pastIncident(
  applications: readonly Application[],
  applicationIndex: number,
  fromMs: number,
  toMs: number,
): Incident {
  const rangeMs = toMs - fromMs;
  const lastsMs = Math.min(LASTS_MS, rangeMs * SHARE_MAX);
  const latestMs = toMs - Math.min(BEFORE_END_MS, rangeMs * SHARE_MAX) - lastsMs;
  const earliestMs = Math.max(latestMs - 24 * HOUR_MS, fromMs + rangeMs * SHARE_MAX);
  const application = applications[applicationIndex % applications.length];
  if (application === undefined) throw new Error('a past incident needs an application');
  let startMs = latestMs;
  let strongest = -1;
  for (let step = 0; step < CANDIDATES; step++) {
    const candidateMs = Math.round(latestMs - (step / CANDIDATES) * (latestMs - earliestMs));
    const strength = rhythm(application.type, application.utcOffsetHours, candidateMs + lastsMs / 2);
    if (strength > strongest) {
      strongest = strength;
      startMs = candidateMs;
    }
  }
  return incident('error-burst', startMs, Math.round(startMs + lastsMs), applicationIndex);
}
