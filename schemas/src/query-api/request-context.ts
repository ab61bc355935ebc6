/*
 * `requestContext`: what else happened around one request, on its node, its interface and its network prefix, beside the hour
 * before.
 */
import { type Static, Type } from 'typebox';
import { WINDOW_PARAMETERS } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { RequestRow } from './requests.js';
import { CodeCount, PERFORMANCE, Time } from './values.js';

const Figures = Type.Object({
  ...PERFORMANCE,
  codes: Type.Array(CodeCount, {
    description: 'the five most frequent of requests that are no success; none for a prefix',
  }),
});
export type NeighbourFigures = Static<typeof Figures>;

/** null where fewer requests or addresses than the minimum are in it: it could be about one person. */
const Withholdable = Type.Union([Figures, Type.Null()], {
  description: 'null: withheld, too few requests or addresses',
});

export const NEIGHBOURS = ['node', 'interface', 'prefix'] as const;

export const Neighbour = Type.Object({
  of: Type.Enum(NEIGHBOURS, {
    description:
      'node: of all applications the caller may read; interface, prefix: of the application of the request',
  }),
  value: Type.String({ description: 'the node, the interface, or the prefix: /24 of IPv4, /48 of IPv6' }),
  around: Withholdable,
  before: Withholdable,
});
export type Neighbour = Static<typeof Neighbour>;

const Span = Type.Object({ from: Time, to: Time });

export const RequestContext = Type.Object({
  /** null where there is no such request; then the rest is empty. */
  request: Type.Union([RequestRow, Type.Null()]),
  around: Type.Union([Span, Type.Null()]),
  /** The hour before. */
  before: Type.Union([Span, Type.Null()]),
  neighbours: Type.Array(Neighbour),
});
export type RequestContext = Static<typeof RequestContext>;

export const requestContext = {
  path: '/v1/applications/:sdk_app_id/requests/:request/context',
  scope: 'application',
  tokenScope: 'requests',
  operationId: 'getRequestContext',
  summary:
    'What else happened around a request on its node, its interface and its prefix, beside the hour before. A request is named by its place or its id; from, to: where an id is looked for, default now-24h',
  inPath: Type.Object({
    request: Type.String({ minLength: 1, maxLength: 128, description: 'the place of a request, or its id' }),
  }),
  query: Type.Object(
    {
      ...WINDOW_PARAMETERS,
      minutes: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 60,
          description: 'before and after the request, default 5; the span ends at multiples of 5 minutes',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  data: RequestContext,
  isBoundedList: false,
} as const satisfies QuestionContract;
