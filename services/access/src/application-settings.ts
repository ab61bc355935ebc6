/* Settings of single applications: what is set for them, as collectors and query services obey it. */
import type { Outcome } from '@imscope/schemas/outcome.js';
import type { ApplicationStatus } from '@imscope/schemas/application-state.js';

export type InterfaceSettings = {
  /** Calls a second; null: the published limit. */
  readonly limitPerSecond: number | null;
  /** It waits on purpose, as a long poll does: its delay is not judged. */
  readonly waits: boolean;
};

export type ApplicationSettings = {
  /** False: the source names no such application, and the defaults are in force. */
  readonly known: boolean;
  readonly status: ApplicationStatus;
  /** Where the application's data is kept; empty: not stated. */
  readonly region: string;
  /** Records a second that are logged one by one; beyond it, successes are sampled. Infinite where none is set. */
  readonly quotaPerSecond: number;
  /** Records a second that are accepted; beyond it, requests are refused. Infinite where none is set. */
  readonly limitPerSecond: number;
  /** Share of the successes that are logged one by one, above 0; 1: all, as far as the quota allows. */
  readonly loggedShare: number;
  /** The application's own outcome by code. */
  readonly codes: ReadonlyMap<number, Outcome>;
  /** By interface, what is set for it alone. */
  readonly interfaces: ReadonlyMap<string, InterfaceSettings>;
  /** As the registry's API describes them; not checked here. */
  readonly sloTargets: readonly unknown[];
};

/** The settings in force of any application. Called for each record, so it answers from memory. */
export type LookUpApplication = (sdkAppId: number) => ApplicationSettings;

/** Settings of an application for which nothing is set. */
export const NO_APPLICATION_SETTINGS: ApplicationSettings = {
  known: false,
  status: 'active',
  region: '',
  quotaPerSecond: Number.POSITIVE_INFINITY,
  limitPerSecond: Number.POSITIVE_INFINITY,
  loggedShare: 1,
  codes: new Map(),
  interfaces: new Map(),
  sloTargets: [],
};
