/*
 * One pass over the applications that were terminated: notices that are due, purges that are due, purges that were begun,
 * ends that TRTC has confirmed since. Then what the audit has kept for its time.
 */
import { beginDuePurges } from './begin-purges.js';
import { closeTrtcPlaces } from './purge-trtc.js';
import { type MayGoOn, type PurgeServices, runPurges } from './run-purge.js';
import { sweepAudit } from './sweep-audit.js';
import { writeDueNotices } from './write-due-notices.js';

export type LifecycleServices = PurgeServices & {
  /** From when a purge is due until it is promised to be complete. */
  readonly withinMs: number;
  /** How long entries of the audit and notices are kept. */
  readonly auditKeptMs: number;
};

export type PassResult = { readonly notices: number; readonly begun: number; readonly completed: number };

export async function runLifecyclePass(
  services: LifecycleServices,
  mayGoOn: MayGoOn = () => true,
): Promise<PassResult> {
  const { database, now, withinMs, auditKeptMs, areNoticesDelivered } = services;
  const notices = await writeDueNotices(database, now(), areNoticesDelivered);
  const begun = await beginDuePurges(database, { nowMs: now(), withinMs });
  const completed = await runPurges(services, mayGoOn);
  await closeTrtcPlaces(database, now());
  await sweepAudit(database, { nowMs: now(), keptMs: auditKeptMs });
  return { notices, begun, completed };
}
