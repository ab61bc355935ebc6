/*
 * `fleetRefusals`: the same as `refusals`, of all applications the caller may read.
 */
import { type Static, Type } from 'typebox';
import { APPLICATION_NAME } from './application-name.js';
import { WindowQuery } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { Refusals } from './refusals.js';
import { Count } from './values.js';

export const FleetRefusals = Type.Object({
  /** All of them, listed below or not. */
  records: Count,
  /** Most refused first; applications without refusals are not listed. */
  applications: Type.Array(
    Type.Object({
      /** null: records that name no application their sender speaks for. */
      sdk_app_id: Type.Union([Type.Integer(), Type.Null()]),
      ...APPLICATION_NAME,
      ...Refusals.properties,
    }),
  ),
  /** Pairs of application and reason that the bound left out: those with the fewest records. */
  left_out: Count,
});
export type FleetRefusals = Static<typeof FleetRefusals>;

export const fleetRefusals = {
  path: '/v1/refusals',
  scope: 'fleet',
  operationId: 'listFleetRefusals',
  summary:
    'Records that collectors refused, by application and reason, most frequent first, 2,000 pairs at most. Records ' +
    'that name no application their sender speaks for are listed for callers who may see all applications',
  query: WindowQuery,
  data: FleetRefusals,
  isBoundedList: false,
} as const satisfies QuestionContract;
