/*
 * OTLP's ExportLogsServiceRequest in JSON, as far as this service reads it. Names that are not described are ignored, as
 * the protocol demands.
 */
import { type TSchema, Type } from 'typebox';
import type { Example } from './operation.js';
import { exampleRecord } from './record-schema.js';

const orNull = (schema: TSchema): TSchema => Type.Optional(Type.Union([schema, Type.Null()]));

const Value = Type.Object(
  {
    stringValue: orNull(Type.String()),
    intValue: orNull(Type.Union([Type.Integer(), Type.String({ pattern: '^-?[0-9]{1,19}$' })])),
    doubleValue: orNull(Type.Number()),
    boolValue: orNull(Type.Boolean()),
  },
  { description: 'an AnyValue: lists, maps and bytes are read, and are a value of no field' },
);
const Attributes = orNull(Type.Array(Type.Object({ key: Type.String(), value: orNull(Value) })));
const Nanoseconds = orNull(
  Type.Union([Type.String({ pattern: '^[0-9]{1,20}$' }), Type.Integer({ minimum: 0 })], {
    description: 'nanoseconds since 1970; 0: not known',
  }),
);

const LogRecord = Type.Object(
  {
    timeUnixNano: Nanoseconds,
    observedTimeUnixNano: Nanoseconds,
    severityNumber: orNull(Type.Integer({ minimum: 0, maximum: 24 })),
    body: orNull(Value),
    attributes: Attributes,
    traceId: orNull(Type.String({ pattern: '^([0-9a-fA-F]{32})?$' })),
  },
  {
    description:
      'one interface request: its attributes are the fields of a RequestLog, as `im.` and their name or by ' +
      'semantic conventions',
  },
);

const ResourceLogs = Type.Object({
  resource: orNull(Type.Object({ attributes: Attributes })),
  scopeLogs: orNull(Type.Array(Type.Object({ logRecords: orNull(Type.Array(LogRecord)) }))),
});

export const OtlpLogsSchema = Type.Object({ resourceLogs: orNull(Type.Array(ResourceLogs)) });

/** An ExportLogsServiceResponse. */
export const OtlpAnswer = Type.Object({
  partialSuccess: Type.Optional(
    Type.Object({ rejectedLogRecords: Type.String({ pattern: '^[0-9]+$' }), errorMessage: Type.String() }),
  ),
});

/** A google.rpc.Status. */
export const RpcStatus = Type.Object({ code: Type.Integer(), message: Type.String() });

export function otlpExamples(nowMs: number): Record<string, Example> {
  const { sdk_app_id, exit_ip, latency_ms, code, interface: name } = exampleRecord(nowMs);
  const good = {
    timeUnixNano: `${nowMs}000000`,
    attributes: [
      { key: 'im.sdk_app_id', value: { intValue: String(sdk_app_id) } },
      { key: 'im.interface', value: { stringValue: name } },
      { key: 'client.address', value: { stringValue: exit_ip } },
      { key: 'im.latency_ms', value: { doubleValue: latency_ms } },
      { key: 'im.code', value: { intValue: String(code) } },
    ],
  };
  return {
    one: { summary: 'one log record', value: request([good]) },
    several: {
      summary: 'two log records, one of them without attributes and refused',
      value: request([good, { timeUnixNano: good.timeUnixNano }]),
    },
    notLogs: { summary: 'JSON that is not a message of OTLP', value: { resourceLogs: 'logs' } },
  };
}

function request(logRecords: readonly object[]): object {
  const attributes = [{ key: 'host.name', value: { stringValue: 'gw-1' } }];
  return { resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords }] }] };
}
