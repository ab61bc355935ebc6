/*
 * A request log in JSON, as the document describes it. The checks of `validate-record.ts` are written by hand for their
 * speed; a test holds this schema against them. Bounds come from `REQUEST_LOG_BOUNDS`, which both use.
 */
import { REQUEST_LOG_BOUNDS, type RequestLogJson } from '@imscope/schemas/request-log.js';
import { type TSchema, Type } from 'typebox';

const { codeMin, codeMax, durationUsMax, labelLengthMax, sdkAppIdMax } = REQUEST_LOG_BOUNDS;

const orNull = (schema: TSchema): TSchema => Type.Optional(Type.Union([schema, Type.Null()]));

const duration = (description: string): TSchema =>
  Type.Number({ minimum: 0, maximum: durationUsMax / 1_000, description });

const label = (description: string, maxLength: number = labelLengthMax): TSchema =>
  orNull(Type.String({ maxLength, description }));

/** Words as they are stored; what else a path may have is for the collector to tell. */
const INTERFACE_WORD = String.raw`(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*|\{id\})`;
const INTERFACE_PATTERN = `^(?:/v4/|/)?${INTERFACE_WORD}(?:/${INTERFACE_WORD})*$`;

const RECORD_FIELDS: Record<keyof RequestLogJson, TSchema> = {
  time: Type.Union(
    [Type.String({ format: 'date-time' }), Type.Number({ description: 'epoch milliseconds' })],
    {
      description:
        'when the request was made, RFC 3339 or epoch milliseconds; not older than the description of this operation ' +
        `says, and at most ${REQUEST_LOG_BOUNDS.aheadMsMax / 60_000} minutes ahead of the collector's clock`,
    },
  ),
  sdk_app_id: Type.Integer({ minimum: 1, maximum: sdkAppIdMax, description: 'the application' }),
  interface: Type.String({
    maxLength: REQUEST_LOG_BOUNDS.interfaceLengthMax,
    pattern: INTERFACE_PATTERN,
    description: 'such as openim/sendmsg; a leading /v4/ or / is removed, ids in it become {id}',
  }),
  exit_ip: Type.Union([Type.String({ format: 'ipv4' }), Type.String({ format: 'ipv6' })], {
    description: 'public address of the caller, without a zone',
  }),
  latency_ms: duration('how long the request took'),
  upstream_ms: orNull(duration('the time spent behind the gateway')),
  rtt_ms: orNull(duration('network round trip to the caller')),
  code: orNull(
    Type.Integer({
      minimum: codeMin,
      maximum: codeMax,
      description: 'the IM result code; without it the outcome is never success',
    }),
  ),
  http_status: orNull(
    Type.Union([Type.Literal(0), Type.Integer({ minimum: 100, maximum: 599 })], {
      description: '0: unknown',
    }),
  ),
  exception: label('kind of the failure, scrubbed', REQUEST_LOG_BOUNDS.exceptionLengthMax),
  cause: label('why it failed, scrubbed', REQUEST_LOG_BOUNDS.causeLengthMax),
  node: label('gateway node'),
  region: label('region of the gateway'),
  platform: label('platform of the caller'),
  sdk_version: label('SDK version of the caller'),
  request_id: label('id of the request', REQUEST_LOG_BOUNDS.requestIdLengthMax),
};

/** What log shippers add to every record; of any type, for they are not read where `time` is given. */
const SHIPPER_FIELDS = {
  '@timestamp': Type.Optional(Type.Unknown({ description: 'the time of a record without `time`' })),
  '@version': Type.Optional(Type.Unknown({ description: 'ignored' })),
};

/** Lengths are UTF-16 units. */
export const RecordSchema = Type.Object(
  { ...RECORD_FIELDS, ...SHIPPER_FIELDS },
  {
    additionalProperties: false,
    description:
      'one interface request. A field about a person or a credential is removed and the record accepted; any other ' +
      'field that is not described here refuses its record. Lengths are UTF-16 code units; null is the same as absent',
  },
);

export const RECORD_REF = Type.Unsafe({ $ref: '#/components/schemas/RequestLog' });

/** A record that is accepted. */
export function exampleRecord(nowMs: number): RequestLogJson {
  return {
    time: new Date(nowMs).toISOString(),
    sdk_app_id: 1_400_000_001,
    interface: 'openim/sendmsg',
    exit_ip: '203.0.113.7',
    latency_ms: 12.5,
    code: 0,
    http_status: 200,
  };
}
