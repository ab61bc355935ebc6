/*
 * The same records in the other formats of the collector: Avro containers as a gateway with our schema writes them, and
 * OTLP protobuf as the OpenTelemetry SDK's serializer writes it. Every field is an attribute of its record, because our
 * JSON repeats every field in each record too.
 */
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { encodeLong } from '@imscope/schemas/container.js';
import { parseIpAddress } from '@imscope/schemas/ip-address.js';
import type { RequestLog } from '@imscope/schemas/request-log.js';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { GatewayRecord } from '../../simulate-gateway/generate.js';

/** One block with the codec `null`, because our JSON is sent uncompressed too. */
export function asAvro(records: readonly GatewayRecord[]): Buffer {
  const { json, fingerprint, type } = REQUEST_LOG_SCHEMA;
  const plain = Buffer.concat(records.map((record) => type.toBuffer(stored(record))));
  return Buffer.concat([
    Buffer.from('Obj\u0001', 'latin1'),
    encodeLong(1),
    ...text('avro.schema'),
    ...text(json),
    encodeLong(0),
    fingerprint,
    encodeLong(records.length),
    encodeLong(plain.length),
    plain,
    fingerprint,
  ]);
}

function text(value: string): [length: Buffer, bytes: Buffer] {
  const bytes = Buffer.from(value);
  return [encodeLong(bytes.length), bytes];
}

function stored(record: GatewayRecord): RequestLog {
  const { latency_ms, upstream_ms, rtt_ms, exception, cause, sdk_version, ...rest } = record;
  const exitIp = parseIpAddress(record.exit_ip);
  if (exitIp === undefined) throw new Error(`no address: ${record.exit_ip}`);
  return {
    ...rest,
    exit_ip: exitIp,
    latency_us: microseconds(latency_ms),
    upstream_us: upstream_ms === undefined ? null : microseconds(upstream_ms),
    rtt_us: rtt_ms === undefined ? null : microseconds(rtt_ms),
    outcome: 'unknown',
    exception: exception ?? '',
    cause: cause ?? '',
    sdk_version: sdk_version ?? '',
    weight: 1,
  };
}

function microseconds(ms: number): number {
  return Math.round(ms * 1_000);
}

const RESOURCE = resourceFromAttributes({ 'service.name': 'gateway', 'service.version': '1.0.0' });
const SCOPE = { name: 'gateway' };

/** Attribute names of the semantic conventions; all other fields are named `im.` and the field's name. */
const ATTRIBUTES: Readonly<Partial<Record<keyof GatewayRecord, string>>> = {
  interface: 'url.path',
  exit_ip: 'client.address',
  http_status: 'http.response.status_code',
  exception: 'exception.type',
  cause: 'exception.message',
  node: 'host.name',
  region: 'cloud.region',
};

export function asOtlp(records: readonly GatewayRecord[]): Buffer {
  const body = ProtobufLogsSerializer.serializeRequest(records.map(logRecord));
  if (body === undefined) throw new Error('the serializer gave nothing');
  return Buffer.from(body);
}

function logRecord({ time, ...fields }: GatewayRecord): ReadableLogRecord {
  const at: ReadableLogRecord['hrTime'] = [Math.floor(time / 1_000), (time % 1_000) * 1_000_000];
  const attributes = Object.entries(fields)
    .filter(([, value]) => value !== null)
    .map(([field, value]) => [ATTRIBUTES[field as keyof GatewayRecord] ?? `im.${field}`, value]);
  return {
    hrTime: at,
    hrTimeObserved: at,
    severityText: 'INFO',
    resource: RESOURCE,
    instrumentationScope: SCOPE,
    attributes: Object.fromEntries(attributes) as ReadableLogRecord['attributes'],
    droppedAttributesCount: 0,
  };
}
