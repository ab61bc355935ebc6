/* The settings of an application that collectors and query services obey. */
import { type Static, Type } from 'typebox';
import { OUTCOMES } from '../outcome.js';
import { plainText } from '../plain-text.js';

const RATE_MAX = 1_000_000_000;

function orNull<T extends Parameters<typeof Type.Union>[0][number]>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

const Rate = Type.Integer({ minimum: 1, maximum: RATE_MAX });

const SloTarget = Type.Object(
  {
    interface: orNull(plainText(1, 128, 'null: all interfaces together')),
    success_rate_min: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }),
    latency_ms_max: orNull(Type.Integer({ minimum: 1, maximum: 3_600_000 })),
    latency_share_min: orNull(Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 })),
  },
  { additionalProperties: false },
);

/** What an interface of the application has of its own. */
const InterfaceSettings = Type.Object(
  {
    interface: plainText(1, 128),
    limit_per_second: orNull(Rate),
    waits: Type.Boolean({ description: 'it waits on purpose, as a long poll does: its delay is not judged' }),
  },
  { additionalProperties: false },
);
export type InterfaceSettings = Static<typeof InterfaceSettings>;

export const ApplicationSettings = Type.Object(
  {
    quota_per_second: orNull(Rate),
    limit_per_second: orNull(Rate),
    logged_share: Type.Number({
      minimum: 0.001,
      maximum: 1,
      description:
        'share of the successes that are logged one by one, each with its weight; all else is logged always',
    }),
    codes: Type.Record(Type.String({ pattern: '^-?\\d{1,10}$' }), Type.Enum([...OUTCOMES]), {
      maxProperties: 1_000,
      additionalProperties: false,
      description: 'outcomes of codes that differ from the code catalogue',
    }),
    slo_targets: Type.Array(SloTarget, { maxItems: 100 }),
    interfaces: Type.Array(InterfaceSettings, {
      maxItems: 200,
      description:
        'interfaces with a limit other than the published one, and those that wait on purpose; limit_per_second null: the published one',
    }),
  },
  { additionalProperties: false },
);
export type ApplicationSettings = Static<typeof ApplicationSettings>;

export const SETTINGS_DEFAULTS: ApplicationSettings = {
  quota_per_second: null,
  limit_per_second: null,
  logged_share: 1,
  codes: {},
  slo_targets: [],
  interfaces: [],
};
