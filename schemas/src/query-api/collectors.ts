/*
 * `collectors`: the collectors and how they do. Each row is one incarnation, which is the life of one process.
 */
import { type Static, Type } from 'typebox';
import { TERM_HOURS, termText } from '../retention.js';
import { WindowQuery } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { Count, Time } from './values.js';

const CollectorState = Type.Union(
  [
    Type.Literal('silent'),
    Type.Literal('unknown'),
    Type.Literal('live'),
    Type.Literal('retired'),
    Type.Literal('ended'),
  ],
  {
    description:
      'live: heard in the last two minutes; silent: not heard since last_heard, and it did not end; unknown: batches of ' +
      'it are stored, but no account says whose they are; ended: it wrote its final account; retired: an operator said ' +
      'that it is gone for ever',
  },
);

const BookedRetirement = Type.Object(
  {
    at: Time,
    by: Type.String(),
    reason: Type.String(),
    /** Records that its accounts reported and that were not stored then. */
    missing: Count,
    unaccounted_max: Type.Integer({
      minimum: 0,
      description:
        'records that it may have accepted after its last account, at most, and that were not stored then',
    }),
    accepted_from: Time,
    accepted_to: Time,
    spool_records_max: Type.Union([Count, Type.Null()], {
      description:
        'records that its spool can hold: the bound if it was cut off from Kafka and went on accepting; null where it is not known',
    }),
    taken_back: Type.Boolean({
      description:
        'an account came after the retirement: it was not gone, and the booked loss does not count',
    }),
  },
  { description: 'as booked by `imscope collector retire`' },
);

export const CollectorRow = Type.Object({
  /** `unknown` where no account says it. */
  collector: Type.String(),
  /** The incarnation. */
  boot: Type.String(),
  state: CollectorState,
  version: Type.String(),
  /** Empty where the collector is of an earlier version that does not say it; as `region`, where none is set. */
  host: Type.String(),
  region: Type.String(),
  settings_hash: Type.String({
    description:
      'of all settings but secrets and the name: collectors with equal hashes have equal settings; empty where it does not say',
  }),
  started: Type.Union([Time, Type.Null()]),
  last_heard: Type.String({
    format: 'date-time',
    description: 'when Kafka received its last account, or its first batch; RFC 3339',
  }),
  spool: Type.Union(
    [
      Type.Object({
        bytes: Count,
        bytes_max: Count,
        /** Not acknowledged by Kafka. */
        waiting_batches: Count,
      }),
      Type.Null(),
    ],
    { description: 'of its last account; of all incarnations in the same spool; null where it does not say' },
  ),
  records: Type.Object(
    {
      accepted: Count,
      sampled_out: Count,
      rejected: Count,
      sent: Count,
      /** Sent by its accounts, and not stored. Batches with an Idempotency-Key name no collector and are left out. */
      missing: Count,
      /** Stored, and not in an account yet. */
      unaccounted: Count,
    },
    { description: 'since it started, by its last account' },
  ),
  retirement: Type.Union([BookedRetirement, Type.Null()]),
});
export type CollectorRow = Static<typeof CollectorRow>;

export const collectors = {
  path: '/v1/collectors',
  scope: 'fleet',
  operationId: 'listCollectors',
  summary:
    `Collectors heard in the window (${termText(TERM_HOURS.edgeAccount)} unless \`from\` is given), ` +
    'one row an incarnation, 1,000 at most: silent and ' +
    'unknown ones first, then live, retired and ended ones. For callers who may read all applications',
  query: WindowQuery,
  data: Type.Array(CollectorRow),
  isBoundedList: true,
} as const satisfies QuestionContract;
