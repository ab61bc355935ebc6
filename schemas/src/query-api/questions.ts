/*
 * All questions of the query service by name. A question that is not here has no route, no description and no client.
 */
import { type Static, type TObject, Type } from 'typebox';
import { applications } from './applications.js';
import { type Answer, answerOf, boundedListAnswerOf } from './envelope.js';
import { breakdown, fleetBreakdown } from './breakdown.js';
import { callbacks } from './callbacks.js';
import { collectors } from './collectors.js';
import { exceptionGroup, exceptions, fleetExceptionGroup, fleetExceptions } from './exceptions.js';
import { fleetNodes } from './fleet-nodes.js';
import { fleetRefusals } from './fleet-refusals.js';
import { fleetHeatmap, heatmap } from './heatmap.js';
import { interfaces } from './interfaces.js';
import { monitor } from './monitor.js';
import { fleetNetwork, network } from './network.js';
import { overview } from './overview.js';
import { ANSWER_PARAMETERS, ApplicationPath } from './parameters.js';
import { PERSONAL_FILTERS, type PersonalFilters } from './personal-filters.js';
import type { QuestionContract } from './question-contract.js';
import { refusals } from './refusals.js';
import { fleetTimeseries, timeseries } from './timeseries.js';
import { requestContext } from './request-context.js';
import { fleetRequests, requestById, requests } from './requests.js';
import { versions } from './versions.js';

export const QUESTIONS = {
  applications,
  network,
  fleetNetwork,
  overview,
  interfaces,
  timeseries,
  fleetTimeseries,
  heatmap,
  fleetHeatmap,
  breakdown,
  fleetBreakdown,
  fleetNodes,
  monitor,
  callbacks,
  exceptions,
  exceptionGroup,
  fleetExceptions,
  fleetExceptionGroup,
  versions,
  requests,
  fleetRequests,
  requestById,
  requestContext,
  refusals,
  fleetRefusals,
  collectors,
} as const satisfies Record<string, QuestionContract>;

export type QuestionName = keyof typeof QUESTIONS;
type Contracts = typeof QUESTIONS;

/** Those in the path, but for `sdk_app_id`, and those of the query. */
export type QueryOf<Q extends QuestionName> = Static<Contracts[Q]['query']> &
  (Contracts[Q] extends { readonly inPath: infer P extends TObject } ? Static<P> : unknown) &
  (Contracts[Q] extends { readonly hasPersonalFilters: true } ? PersonalFilters : unknown);
/** Those of the query, and `sdk_app_id` where the question is about one application. */
export type ParametersOf<Q extends QuestionName> = QueryOf<Q> &
  (Contracts[Q]['scope'] extends 'application' ? ApplicationPath : unknown);
export type DataOf<Q extends QuestionName> = Static<Contracts[Q]['data']>;
export type AnswerTo<Q extends QuestionName> = Answer<DataOf<Q>>;

/** The answer to a question, envelope included. */
export function answerSchema({ data, isBoundedList }: Pick<QuestionContract, 'data' | 'isBoundedList'>) {
  return isBoundedList ? boundedListAnswerOf(data) : answerOf(data);
}

/** The parameters in the path; undefined: there is none. */
export function pathSchema({ scope, inPath }: QuestionContract): TObject | undefined {
  if (scope === 'fleet') return inPath;
  return Type.Object({ ...ApplicationPath.properties, ...inPath?.properties });
}

/** The parameters in the query of a GET. */
export function querySchema({ query }: QuestionContract): TObject {
  return Type.Object({ ...query.properties, ...ANSWER_PARAMETERS }, { additionalProperties: false });
}

/** The parameters of the body of a POST. */
export function bodySchema(contract: QuestionContract): TObject {
  const { properties } = querySchema(contract);
  const personal = contract.hasPersonalFilters === true ? PERSONAL_FILTERS : {};
  return Type.Object({ ...properties, ...personal }, { additionalProperties: false });
}

/** All parameters of a question but `sdk_app_id`. */
export function parametersSchema(contract: QuestionContract): TObject {
  const { properties } = bodySchema(contract);
  return Type.Object({ ...properties, ...contract.inPath?.properties }, { additionalProperties: false });
}
