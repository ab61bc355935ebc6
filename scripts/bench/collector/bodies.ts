/*
 * The bodies to send and parse: 500 simulated applications with all their interfaces. A pure function of kind and time,
 * so that the collector and its peer get the same bytes.
 */
import { createTraffic, type GatewayRecord, type Traffic } from '../../simulate-gateway/generate.js';
import { type BodyKind, bodiesFor, type SentFormat } from './cases.js';
import { asAvro, asOtlp } from './other-forms.js';

const SEED = 20;
const APPLICATIONS = 500;
/** Event times are within the last second, as those of gateways. */
const SPAN_MS = 1_000;

export function createBenchTraffic(): Traffic {
  return createTraffic({ seed: SEED, applications: APPLICATIONS });
}

/** @param atMs the newest event time, epoch milliseconds */
export function makeBodies(traffic: Traffic, { format, records }: BodyKind, atMs: number): Buffer[] {
  const count = bodiesFor(records) * records;
  const written = format === 'ndjson' ? 'ndjson' : 'json';
  const range = {
    fromMs: atMs - SPAN_MS,
    toMs: atMs,
    count,
    batchRecords: records,
    format: written,
  } as const;
  return Array.from(traffic.between(range), ({ body }) => {
    if (format !== 'avro' && format !== 'otlp-protobuf') return body;
    const parsed = JSON.parse(body.toString('latin1')) as GatewayRecord[];
    return format === 'avro' ? asAvro(parsed) : asOtlp(parsed);
  });
}

const ADDRESSES = {
  json: { path: '/v1/request-logs', type: 'application/json' },
  ndjson: { path: '/v1/request-logs', type: 'application/x-ndjson' },
  avro: { path: '/v1/request-logs', type: 'application/avro' },
  'otlp-protobuf': { path: '/v1/logs', type: 'application/x-protobuf' },
} as const satisfies Record<SentFormat, object>;

/** A complete HTTP request for each body, to be written to a keep-alive connection. */
export function asRequests(bodies: readonly Buffer[], { format }: BodyKind, token: string): Buffer[] {
  const { path, type } = ADDRESSES[format];
  return bodies.map((body) => {
    const head = [
      `POST ${path} HTTP/1.1`,
      'host: 127.0.0.1',
      `authorization: Bearer ${token}`,
      `content-type: ${type}`,
      `content-length: ${body.length}`,
    ];
    return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]);
  });
}
