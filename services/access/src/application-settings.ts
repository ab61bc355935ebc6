/*
 * What is set for one application, wherever it is kept: how much of it is logged and taken, and which codes it
 * judges otherwise than the catalogue. Asked for each record or request, so an answer is at hand at once.
 */
import type { Outcome } from '@imscope/schemas/outcome.js';

export type ApplicationSettings = {
  /** Records a second that are logged one by one; beyond, successes are sampled. Infinite where none is set. */
  readonly quotaPerSecond: number;
  /** Records a second that are taken at all; beyond, they are refused. Infinite where none is set. */
  readonly limitPerSecond: number;
  /** The application's own judgement by code. */
  readonly codes: ReadonlyMap<number, Outcome>;
};

/** The settings in force of any application, named or not. */
export type LookUpApplication = (sdkAppId: number) => ApplicationSettings;
