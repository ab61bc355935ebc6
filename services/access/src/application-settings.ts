/* Settings of single applications: quota, limit, and outcomes of codes that differ from the code catalogue. */
import type { Outcome } from '@imscope/schemas/outcome.js';

export type ApplicationSettings = {
  /** Records a second that are logged one by one; beyond it, successes are sampled. Infinite where none is set. */
  readonly quotaPerSecond: number;
  /** Records a second that are accepted; beyond it, requests are refused. Infinite where none is set. */
  readonly limitPerSecond: number;
  /** The application's own outcome by code. */
  readonly codes: ReadonlyMap<number, Outcome>;
};

/** The settings in force of any application. Called for each record, so it answers from memory. */
export type LookUpApplication = (sdkAppId: number) => ApplicationSettings;

/** Settings of an application for which nothing is set. */
export const NO_APPLICATION_SETTINGS: ApplicationSettings = {
  quotaPerSecond: Number.POSITIVE_INFINITY,
  limitPerSecond: Number.POSITIVE_INFINITY,
  codes: new Map(),
};
