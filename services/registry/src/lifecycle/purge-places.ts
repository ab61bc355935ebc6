/*
 * The places that hold something of an application, and the step that purges each. A step may be cut off anywhere and is
 * run again from its start; it resolves only when it has seen that nothing is left.
 */
import type { PurgePlace } from '@imscope/schemas/registry-api/records.js';

/** The application that is purged. */
export type PurgeSubject = {
  readonly sdkAppId: number;
  readonly terminatedMs: number;
  readonly dueMs: number;
  readonly latestMs: number;
  readonly startedMs: number;
};

export type PlaceResult =
  | { readonly kind: 'done'; readonly deleted: number }
  /** The place is not configured, or never held anything of any application. */
  | { readonly kind: 'not_used' }
  /** Something is left that only waiting removes. */
  | { readonly kind: 'open'; readonly reason: string };

/**
 * @param found records how much the step is about to delete, before it deletes: a step that is cut off finds less when it
 *   is run again
 */
export type PurgeStep = (
  subject: PurgeSubject,
  found: (count: number) => Promise<void>,
) => Promise<PlaceResult>;

export type PurgeSteps = { readonly [P in Exclude<PurgePlace, 'rows'>]: PurgeStep };
