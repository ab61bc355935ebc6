/*
 * Query parameters of the query service, as TypeBox schemas: the service validates with them, OpenAPI is made
 * of them, and clients (dashboard, CLI) take their types from them. Spans are half open: [from, to).
 */
import { type Static, Type } from 'typebox';
import { OUTCOMES } from '../outcome.js';
import { REQUEST_LOG_BOUNDS } from '../request-log.js';

const repeatable = (description: string) =>
  Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { maxItems: 20, description }));

export const TIME_PATTERN = String.raw`^(now(-\d{1,6}[smhd])?|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))$`;

const AHEAD_MINUTES = REQUEST_LOG_BOUNDS.aheadMsMax / 60_000;

const WindowParameters = {
  from: Type.Optional(
    Type.String({
      pattern: TIME_PATTERN,
      description:
        'RFC 3339 or now-15m, now-24h, now-7d; default now-1h. A time before the term counts as the term; one ' +
        `${AHEAD_MINUTES} minutes ahead or more is refused`,
    }),
  ),
  to: Type.Optional(
    Type.String({
      pattern: TIME_PATTERN,
      description:
        `as from, exclusive; default now. Collectors accept events up to ${AHEAD_MINUTES} minutes ahead of their ` +
        'clock, so a later time counts as that; window.to of the answer says what was used',
    }),
  ),
};

const FilterParameters = {
  interface: repeatable('interfaces, such as openim/sendmsg; give it more than once for any of several'),
  code: Type.Optional(
    Type.Array(
      Type.String({ pattern: '^(none|0|-?[1-9][0-9]{0,9})$', description: 'a whole number, or none' }),
      {
        maxItems: 20,
        description: 'codes; none: no code',
      },
    ),
  ),
  outcome: Type.Optional(Type.Array(Type.Enum(OUTCOMES), { maxItems: 4, description: 'outcomes' })),
  node: repeatable('gateway nodes'),
  region: repeatable('regions'),
  platform: repeatable('client platforms'),
  sdk_version: repeatable('client SDK versions'),
};

const step = Type.Optional(
  Type.String({
    pattern: '^[1-9][0-9]{0,4}[smhd]$',
    description: 'such as 10s, 1m, 1h; default gives about 60 points',
  }),
);

export const ApplicationPath = Type.Object({
  sdk_app_id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
});
export type ApplicationPath = Static<typeof ApplicationPath>;

export const ApplicationsQuery = Type.Object({ ...WindowParameters, step }, { additionalProperties: false });
export type ApplicationsQuery = Static<typeof ApplicationsQuery>;

export const AnalysisQuery = Type.Object(
  { ...WindowParameters, ...FilterParameters },
  { additionalProperties: false },
);
export type AnalysisQuery = Static<typeof AnalysisQuery>;

export const SteppedQuery = Type.Object(
  { ...WindowParameters, step, ...FilterParameters },
  { additionalProperties: false },
);
export type SteppedQuery = Static<typeof SteppedQuery>;

export const MonitorQuery = Type.Object(
  {
    ...WindowParameters,
    step: Type.Optional(
      Type.String({
        pattern: '^[1-9][0-9]{0,4}[mhd]$',
        description: 'whole minutes that divide a day, such as 1m, 5m, 1h; default gives about 60 points',
      }),
    ),
    interface: FilterParameters.interface,
    region: FilterParameters.region,
  },
  { additionalProperties: false },
);
export type MonitorQuery = Static<typeof MonitorQuery>;

export const RequestsQuery = Type.Object(
  {
    ...WindowParameters,
    ...FilterParameters,
    exception: repeatable('exception names'),
    request_id: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    latency_ms_min: Type.Optional(Type.Number({ minimum: 0, maximum: 86_400_000 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'default 100' })),
    cursor: Type.Optional(Type.String({ maxLength: 256, description: 'next_cursor of the page before' })),
  },
  { additionalProperties: false },
);
export type RequestsQuery = Static<typeof RequestsQuery>;
