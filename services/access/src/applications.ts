/*
 * What a service knows of tokens and applications, whatever the source is: the applications file, Redis, or the
 * compacted topic. Every look-up answers from memory.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { type LookUpApplication, NO_APPLICATION_SETTINGS } from './application-settings.js';
import { createTokens, type Tokens } from './tokens.js';

export type Applications = Tokens & {
  readonly applicationSettings: LookUpApplication;
  /** Terminated applications, in the order in which that became known: their data must not be read. */
  readonly terminated: () => ReadonlySet<number>;
  /** Why what is in force may be older than the source; undefined while it is not. */
  readonly failure: () => string | undefined;
  readonly state: () => ApplicationsState;
  stop(): Promise<void>;
};

/** For metrics and readiness. */
export type ApplicationsState = {
  /** False: nothing is known yet, neither from the source nor from the cache. Callers get 503. */
  readonly known: boolean;
  readonly connected: boolean;
  /** The newest change that is in force; 0 where the source has no revisions. */
  readonly revision: number;
  /** Epoch milliseconds of the last moment at which what is known was the newest; 0: never. */
  readonly currentMs: number;
  readonly tokens: number;
  readonly applications: number;
  /** Entries that could not be read since the start; each was skipped. */
  readonly malformed: number;
};

const NOTHING: ApplicationsState = {
  known: true,
  connected: true,
  revision: 0,
  currentMs: 0,
  tokens: 0,
  applications: 0,
  malformed: 0,
};

/** For a service without a source: no token is valid, and no application has settings. */
export function withoutApplications(): Applications {
  return {
    ...createTokens(() => undefined),
    applicationSettings: () => NO_APPLICATION_SETTINGS,
    terminated: () => new Set(),
    failure: () => undefined,
    state: () => NOTHING,
    stop: async () => undefined,
  };
}

/** The answer to every caller while it is unknown which tokens are valid. */
export function nothingKnown(why: string): HttpError {
  return new HttpError(
    'unavailable',
    `this service does not know yet which tokens are valid (${why}): send it again later`,
    { retryAfterS: 2 },
  );
}
