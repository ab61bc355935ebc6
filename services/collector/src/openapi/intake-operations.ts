/* The operations that accept records: `POST /v1/request-logs` and `POST /v1/logs`. */
import { errorBody } from '@imscope/runtime/http-errors.js';
import { type TSchema, Type } from 'typebox';
import { CODINGS } from '../bodies/content-coding.js';
import type { BodyFormats } from '../bodies/read-body.js';
import { REJECTED_NAMED_MAX } from '../intake/intake.js';
import { REJECT_REASONS } from '../intake/reject-reasons.js';
import { type DescribedCode, errorResponses, plainErrorAnswer, withExamples } from './error-answers.js';
import {
  type Content,
  type DescribeOperation,
  type DocumentContext,
  type Example,
  HEAD_ERRORS,
  type Header,
  type Parameter,
  SECURITY,
} from './operation.js';
import { OtlpAnswer, RpcStatus } from './otlp-schema.js';
import { requestBody } from './request-body.js';

/** Of any request with records. */
const INTAKE_ERRORS: readonly DescribedCode[] = [
  ...HEAD_ERRORS,
  'unreadable_body',
  'empty_body',
  'invalid_parameter',
  'missing_token',
  'invalid_token',
  'not_allowed',
  'body_too_large',
  'unsupported_media_type',
  'unsupported_encoding',
  'too_many_requests',
  'timeout',
];

const PARAMETERS: readonly Parameter[] = [
  {
    name: 'Content-Encoding',
    in: 'header',
    required: false,
    description: 'how the body is packed; without it the body is plain',
    schema: Type.Enum([...CODINGS.keys()]),
  },
  {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description:
      'a request that is sent again under the same key within an hour counts once; such as a UUID, one for each request',
    schema: Type.String({ minLength: 1, maxLength: 255, pattern: '^[!-~]+$' }),
    example: '5f4dcc3b-5aa7-65d6-1d83-27deb882cf99',
  },
];

/** Only where the token or an application has a limit. */
const RATE_LIMIT: Readonly<Record<string, Header>> = {
  RateLimit: header('what is left of each limit, as in draft-ietf-httpapi-ratelimit-headers'),
  'RateLimit-Policy': header('the limits of the token and of the application nearest to its limit'),
};

function header(description: string): Header {
  return { description, required: false, schema: Type.String() };
}

const Count = Type.Integer({ minimum: 0 });
const REASONS = Object.keys(REJECT_REASONS);

/** What became of the records of a request. */
const IntakeAnswer = Type.Object({
  accepted: Count,
  rejected: Type.Array(
    Type.Object({
      index: Type.Integer({ minimum: 0, description: 'place in the array, or the line counted from 0' }),
      reason: Type.Enum(REASONS),
      detail: Type.String(),
    }),
    { maxItems: REJECTED_NAMED_MAX, description: 'the first refused records; rejected_count counts all' },
  ),
  rejected_count: Count,
  rejected_by_reason: Type.Object(
    Object.fromEntries(
      Object.entries(REJECT_REASONS).map(([reason, { meaning: description }]) => [
        reason,
        Type.Optional(Type.Integer({ minimum: 1, description })),
      ]),
    ),
    { additionalProperties: false },
  ),
});

/** Answers to the examples of `request-body.ts`, by name. */
const ACCEPTED_EXAMPLES: Readonly<Record<string, Example>> = {
  one: {
    summary: 'every record is durable and counted',
    value: { accepted: 1, rejected: [], rejected_count: 0, rejected_by_reason: {} },
  },
  several: {
    summary: 'one record is refused',
    value: {
      accepted: 1,
      rejected: [
        { index: 1, reason: 'out_of_range', detail: 'latency_ms is -1: give a number from 0 to 86400000' },
      ],
      rejected_count: 1,
      rejected_by_reason: { out_of_range: 1 },
    },
  },
  severalLines: {
    summary: 'one line is refused',
    value: {
      accepted: 1,
      rejected: [{ index: 1, reason: 'not_an_object', detail: 'the record is "record": give a JSON object' }],
      rejected_count: 1,
      rejected_by_reason: { not_an_object: 1 },
    },
  },
};
const UNREADABLE_EXAMPLES: Readonly<Record<string, Example>> = {
  notRecords: {
    summary: 'nothing was accepted',
    value: errorBody(
      'unreadable_body',
      'the body is "record": send one record as an object, or several as an array',
    ),
  },
};
const OTLP_ACCEPTED_EXAMPLES: Readonly<Record<string, Example>> = {
  one: { summary: 'every record is durable and counted', value: {} },
  several: {
    summary: 'one record is refused, the other is durable and counted',
    value: {
      partialSuccess: {
        rejectedLogRecords: '1',
        errorMessage:
          '1 of 2 records refused: missing_field 1; the first, record 1: sdk_app_id is absent or null: every record needs it',
      },
    },
  },
};
const OTLP_UNREADABLE_EXAMPLES: Readonly<Record<string, Example>> = {
  notLogs: {
    summary: 'nothing was accepted',
    value: {
      code: 3,
      message:
        'unreadable_body: the body is no ExportLogsServiceRequest of OTLP: resourceLogs is "logs": give an array',
    },
  },
};

export function describeRequestLogs(formats: BodyFormats): DescribeOperation {
  return (context) => ({
    operationId: 'sendRequestLogs',
    summary: 'Request logs in JSON, NDJSON or Avro',
    description:
      '202 says that every accepted record is durable and counted. Each refused record is named; its neighbours are ' +
      `accepted. ${bounds(context)}`,
    tags: ['intake'],
    security: SECURITY.write,
    parameters: PARAMETERS,
    requestBody: requestBody(formats, context),
    responses: {
      202: {
        description: 'every accepted record is durable and counted',
        headers: RATE_LIMIT,
        content: { 'application/json': { schema: IntakeAnswer, examples: ACCEPTED_EXAMPLES } },
      },
      ...withExamples(errorResponses(INTAKE_ERRORS), 400, UNREADABLE_EXAMPLES),
    },
  });
}

const PROTOBUF = 'application/x-protobuf';

export function describeOtlpLogs(formats: BodyFormats): DescribeOperation {
  return (context) => ({
    operationId: 'exportLogs',
    summary: 'OTLP/HTTP logs, each log record one interface request',
    description:
      '200 says that every record is durable and counted, but those that partialSuccess counts as refused. 500 is ' +
      `also the answer where 504 would be and the request had no Idempotency-Key: clients of OTLP repeat 504 by themselves. ${bounds(context)}`,
    tags: ['intake'],
    security: SECURITY.write,
    parameters: PARAMETERS,
    requestBody: requestBody(formats, context),
    responses: {
      200: {
        description: 'an ExportLogsServiceResponse in the content type of the request',
        headers: RATE_LIMIT,
        content: {
          'application/json': {
            schema: OtlpAnswer,
            examples: OTLP_ACCEPTED_EXAMPLES,
          },
          [PROTOBUF]: { schema: Type.String({ format: 'binary' }) },
        },
      },
      ...withExamples(errorResponses(INTAKE_ERRORS, otlpErrors), 400, OTLP_UNREADABLE_EXAMPLES),
    },
  });
}

/** What is answered before the route is known has the form of all other routes. */
function otlpErrors(codes: readonly DescribedCode[]): Content {
  const before = codes.filter((code) => HEAD_ERRORS.some((headError) => headError === code));
  const schema: TSchema = before.length === 0 ? RpcStatus : Type.Union([RpcStatus, plainErrorAnswer(before)]);
  return {
    'application/json': { schema },
    [PROTOBUF]: { schema: Type.String({ format: 'binary', description: 'a google.rpc.Status' }) },
  };
}

function bounds({ bodyBounds, lateMsMax }: DocumentContext): string {
  return (
    `A record is at most ${lateMsMax / 3_600_000} hours old. A body has at most ${bodyBounds.bytesMax} bytes as ` +
    `received and ${bodyBounds.inflatedBytesMax} when unpacked.`
  );
}
