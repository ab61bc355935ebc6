/*
 * What each route about applications takes and gives: validation, types and the API's description in one.
 */
import {
  answerOf,
  ApplicationRow,
  ExceptionRow,
  InterfaceRow,
  listAnswerOf,
  Monitor,
  Overview,
  RequestPage,
  TimePoint,
} from '@imscope/schemas/query-api/answers.js';
import {
  AnalysisQuery,
  ApplicationPath,
  ApplicationsQuery,
  MonitorQuery,
  RefusalsQuery,
  RequestsQuery,
  SteppedQuery,
} from '@imscope/schemas/query-api/parameters.js';
import { FleetRefusals, Refusals } from '@imscope/schemas/query-api/refusals.js';
import { type TSchema, Type } from 'typebox';
import { errorAnswers, SECURITY } from './openapi.js';

const describeAnswer = <T extends TSchema>(operationId: string, summary: string, answer: T) => ({
  operationId,
  summary,
  tags: ['applications'],
  security: SECURITY.reader,
  response: { 200: answer, ...errorAnswers(400, 401, 403, 422, 503, 504) },
});

const describe = <T extends TSchema>(operationId: string, summary: string, data: T) =>
  describeAnswer(operationId, summary, answerOf(data));

/** A list with a bound: its answer says how many rows are left out. */
const describeList = <T extends TSchema>(operationId: string, summary: string, row: T) =>
  describeAnswer(operationId, summary, listAnswerOf(row));

export const APPLICATIONS = {
  ...describeList(
    'listApplications',
    'All applications the caller may see, worst first, 1,000 at most; 120 steps at most',
    ApplicationRow,
  ),
  querystring: ApplicationsQuery,
};

export const OVERVIEW = {
  ...describe(
    'getOverview',
    'One application over a window, the span before it for comparison, and its codes',
    Overview,
  ),
  params: ApplicationPath,
  querystring: AnalysisQuery,
};

export const INTERFACES = {
  ...describeList(
    'listInterfaces',
    'The interfaces of an application, most used first; of more than 1,000 the worst are listed',
    InterfaceRow,
  ),
  params: ApplicationPath,
  querystring: AnalysisQuery,
};

export const TIMESERIES = {
  ...describe(
    'getTimeseries',
    'An application over time: one point for each step, 1,500 at most. Steps begin at multiples of the step; ' +
      'the first and the last hold only what lies in the window',
    Type.Array(TimePoint),
  ),
  params: ApplicationPath,
  querystring: SteppedQuery,
};

export const MONITOR = {
  ...describe(
    'getMonitor',
    'Success rate and delay of one application out of the metrics alone, so every request counts, sampled or not: ' +
      'over time, by interface and by region, each against one day before. Whole minutes of the last 2 days; 1,500 ' +
      'steps at most. `missing` tells requests that stand in the logs but in no metric',
    Monitor,
  ),
  params: ApplicationPath,
  querystring: MonitorQuery,
};

export const EXCEPTIONS = {
  ...describeList(
    'listExceptions',
    'Failures with their causes: every service error, and all else that carries an exception, grouped by ' +
      'exception, interface, code and outcome, most frequent first; of more than 200 groups service errors are ' +
      'listed before others',
    ExceptionRow,
  ),
  params: ApplicationPath,
  querystring: AnalysisQuery,
};

export const REQUESTS = {
  ...describe(
    'listRequests',
    'Single requests, newest first. Follow next_cursor for older ones; a cursor keeps the window of the first page',
    RequestPage,
  ),
  params: ApplicationPath,
  querystring: RequestsQuery,
};

export const REFUSALS = {
  ...describe(
    'listRefusals',
    'Records that collectors refused of one application, by reason, most frequent first, with what to do. Counted ' +
      'from the accounts that collectors write every minute, so the last minute is not in it yet',
    Refusals,
  ),
  params: ApplicationPath,
  querystring: RefusalsQuery,
};

export const FLEET_REFUSALS = {
  ...describe(
    'listFleetRefusals',
    'Records that collectors refused, by application and reason, most frequent first, 2,000 pairs at most. Records ' +
      'that name no application their sender speaks for are listed for callers who may see all applications',
    FleetRefusals,
  ),
  querystring: RefusalsQuery,
};
