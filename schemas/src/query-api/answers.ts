/*
 * Names under which the dashboard imports answers until it has moved to the files of the questions.
 */
export type { ApplicationRow, SparkPoint } from './applications.js';
export type { Answer, Completeness, ErrorAnswer, Window } from './envelope.js';
export type { ExceptionRow } from './exceptions.js';
export type { InterfaceRow } from './interfaces.js';
export type { Overview } from './overview.js';
export type { RequestPage, RequestRow } from './requests.js';
export type { TimePoint } from './timeseries.js';
export type { CodeCount, LatencySummary, OutcomeCounts } from './values.js';
