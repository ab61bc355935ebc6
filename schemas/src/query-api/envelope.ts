/*
 * What every answer has around its data: the window, the completeness and, for a bounded list, what was left out.
 * And the form of an error answer.
 */
import { type Static, type TSchema, Type } from 'typebox';
import { DescribedApplication } from './application-name.js';
import { LeftOut, Time } from './values.js';

export const Window = Type.Object({
  from: Time,
  to: Time,
  /** Seconds; null where the answer has no steps. */
  step: Type.Union([Type.Integer(), Type.Null()]),
  source: Type.Union(
    [Type.Literal('logs'), Type.Literal('metrics'), Type.Literal('both'), Type.Literal('accounts')],
    {
      description:
        'what requests, outcomes and delay were counted from; both: metrics says which part; accounts: refusals, from the accounts of the collectors',
    },
  ),
  metrics: Type.Union([Type.Object({ from: Time, to: Time }), Type.Null()], {
    description: 'the part of the window that was counted from the metrics, whole minutes; null: none',
  }),
  logged_share: Type.Union([Type.Number(), Type.Null()], {
    description:
      'of all requests of the application in the window, whatever the filters, the share logged one by one; ' +
      'below 1 successes were sampled, and what comes from the logs are estimates; null: not determined, or none',
  }),
});
export type Window = Static<typeof Window>;

export const SilentCollector = Type.Object({
  /** `unknown` where its batches were seen but never an account. */
  collector: Type.String(),
  boot: Type.String(),
  last_heard: Time,
});
export type SilentCollector = Static<typeof SilentCollector>;

export const Verdict = Type.Object(
  {
    fault: Type.Union([
      Type.Literal('service_fault'),
      Type.Literal('telemetry_fault'),
      Type.Literal('none'),
      Type.Literal('unknown'),
    ]),
    /** A sentence. */
    reason: Type.String(),
  },
  {
    description:
      'whether what looks wrong is the fault of the service or of the telemetry. service_fault: too many service errors, ' +
      'even if all that is missing succeeded; telemetry_fault: records are missing, or a collector is silent; none: ' +
      'nothing looks wrong; unknown: it cannot be told. Absent where an answer has no success rate, or is filtered by outcome, code or exception',
  },
);
export type Verdict = Static<typeof Verdict>;

export const Completeness = Type.Object({
  status: Type.Union([Type.Literal('complete'), Type.Literal('partial'), Type.Literal('unknown')], {
    description:
      'complete: all that collectors accepted during the window, up to 10 s after it, is stored, and all have reported so; ' +
      'partial: something is missing or still on its way, the ratio and the watermark say which; unknown: a ' +
      'collector that was heard is silent for two minutes, or no account tells of the window',
  }),
  ratio: Type.Union([Type.Number(), Type.Null()], {
    description:
      'of the records that collectors of all applications accepted during the window and have reported, the share that ' +
      'is stored; what was sent in the last 10 s does not lower it; null where no account tells of the window',
  }),
  watermark: Type.Union([Time, Type.Null()], {
    description: 'what Kafka appended up to here is stored, in every partition; null where nothing is known',
  }),
  /** Always sent; services of earlier versions do not. */
  missing_max: Type.Optional(
    Type.Union([Type.Integer(), Type.Null()], {
      description:
        'how many records that collectors reported as accepted during the window are not stored, those on their way too; ' +
        'of one application at most so many; null where it is not known, as while a collector is silent',
    }),
  ),
  retired: Type.Optional(
    Type.Object(
      { collectors: Type.Integer(), lost_max: Type.Integer() },
      {
        description:
          'collectors that are gone for ever, as an operator said, and how many records of the window are lost with ' +
          'them at most; part of missing_max; absent where nothing is lost',
      },
    ),
  ),
  silent_collectors: Type.Array(SilentCollector, {
    description: 'it is unknown what these accepted during the window; longest silent first, 100 at most',
  }),
  /** Absent where none is left out. */
  silent_collectors_left_out: Type.Optional(LeftOut),
  silent_estimate: Type.Optional(
    Type.Integer({
      description:
        'records that silent collectors may have accepted during the window since their last accounts, at their ' +
        'greatest rate of the hour before: an estimate, no bound; absent where none is silent',
    }),
  ),
  success_rate: Type.Optional(
    Type.Union([Type.Object({ least: Type.Number(), greatest: Type.Number() }), Type.Null()], {
      description:
        'the success rate of the answer if all missing records were service errors, and if all were successes; null ' +
        'where missing_max or the rate is; absent where an answer has no success rate',
    }),
  ),
  verdict: Type.Optional(Verdict),
});
export type Completeness = Static<typeof Completeness>;

export const Cost = Type.Object(
  {
    rows: Type.Integer({ minimum: 0, description: 'rows that the store read' }),
    bytes: Type.Integer({
      minimum: 0,
      description: 'bytes of columns that the store read, before compression',
    }),
    ms: Type.Number({ minimum: 0, description: 'time from the question to its answer, waiting included' }),
  },
  { description: 'of this answer; what answers share for seconds, such as the accounts, is not in it' },
);
export type Cost = Static<typeof Cost>;

/** Any answer. */
export type Answer<T> = {
  data: T;
  /** Of answers about one application. */
  application?: DescribedApplication;
  /** Only beside a bounded list. */
  left_out?: number;
  window: Window;
  completeness: Completeness;
  /** Services before this was added do not send it. */
  cost?: Cost;
};

/**
 * `left_out` is always sent with a bounded list, `application` in answers about one application, `cost` with all. They are optional, so that
 * clients can read older services.
 */
const COMMON = {
  application: Type.Optional(DescribedApplication),
  window: Window,
  completeness: Completeness,
  cost: Type.Optional(Cost),
};

export const answerOf = <T extends TSchema>(data: T) => Type.Object({ data, ...COMMON });

export const boundedListAnswerOf = <T extends TSchema>(list: T) =>
  Type.Object({ data: list, left_out: Type.Optional(LeftOut), ...COMMON });

export const ErrorAnswer = Type.Object({
  error: Type.Object({ code: Type.String(), message: Type.String() }),
});
export type ErrorAnswer = Static<typeof ErrorAnswer>;
