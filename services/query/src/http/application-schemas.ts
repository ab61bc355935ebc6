/*
 * What each route about applications takes and gives: validation, types and the API's description in one.
 */
import { applications } from '@imscope/schemas/query-api/applications.js';
import { answerOf, boundedListAnswerOf } from '@imscope/schemas/query-api/envelope.js';
import { errorAnswers } from '@imscope/schemas/query-api/error-answers.js';
import { exceptions } from '@imscope/schemas/query-api/exceptions.js';
import { fleetRefusals } from '@imscope/schemas/query-api/fleet-refusals.js';
import { interfaces } from '@imscope/schemas/query-api/interfaces.js';
import { monitor } from '@imscope/schemas/query-api/monitor.js';
import { overview } from '@imscope/schemas/query-api/overview.js';
import { ApplicationPath } from '@imscope/schemas/query-api/parameters.js';
import { refusals } from '@imscope/schemas/query-api/refusals.js';
import { requests } from '@imscope/schemas/query-api/requests.js';
import { timeseries } from '@imscope/schemas/query-api/timeseries.js';
import type { TSchema } from 'typebox';
import { SECURITY } from '../access/security.js';

const describe = <T extends TSchema>(
  { operationId, summary }: { operationId: string; summary: string },
  answer: T,
) => ({
  operationId,
  summary,
  tags: ['applications'],
  security: SECURITY.reader,
  response: { 200: answer, ...errorAnswers(400, 401, 403, 422, 503, 504) },
});
const params = ApplicationPath;

export const APPLICATIONS = {
  ...describe(applications, boundedListAnswerOf(applications.data)),
  querystring: applications.query,
};
export const OVERVIEW = {
  ...describe(overview, answerOf(overview.data)),
  params,
  querystring: overview.query,
};
export const INTERFACES = {
  ...describe(interfaces, boundedListAnswerOf(interfaces.data)),
  params,
  querystring: interfaces.query,
};
export const TIMESERIES = {
  ...describe(timeseries, answerOf(timeseries.data)),
  params,
  querystring: timeseries.query,
};
export const MONITOR = { ...describe(monitor, answerOf(monitor.data)), params, querystring: monitor.query };
export const EXCEPTIONS = {
  ...describe(exceptions, boundedListAnswerOf(exceptions.data)),
  params,
  querystring: exceptions.query,
};
export const REQUESTS = {
  ...describe(requests, answerOf(requests.data)),
  params,
  querystring: requests.query,
};
export const REFUSALS = {
  ...describe(refusals, answerOf(refusals.data)),
  params,
  querystring: refusals.query,
};
export const FLEET_REFUSALS = {
  ...describe(fleetRefusals, answerOf(fleetRefusals.data)),
  querystring: fleetRefusals.query,
};
