/*
 * The Avro schemas, every version that was ever written, as the bytes that stand in container headers.
 * A schema's fingerprint is the MD5 of those bytes; it is also the container's sync marker, so that all
 * messages of one schema open with the same bytes and can be joined without being decoded.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import avro from 'avsc';

/** One version of one record's schema. `json` is the text as written into containers, without white space. */
export type AvroSchema = {
  readonly name: 'RequestLog' | 'InterfaceMetric' | 'EdgeAccount';
  readonly version: number;
  readonly json: string;
  /** 16 bytes: MD5 of `json`; the sync marker of every container of this schema. */
  readonly fingerprint: Buffer;
  readonly type: avro.Type;
};

function loadSchema(name: AvroSchema['name'], file: string, version: number): AvroSchema {
  const url = new URL(`../avro/${file}.v${version}.avsc`, import.meta.url);
  const definition = JSON.parse(readFileSync(url, 'utf8')) as avro.Schema;
  const json = JSON.stringify(definition);
  return {
    name,
    version,
    json,
    fingerprint: createHash('md5').update(json).digest(),
    type: avro.Type.forSchema(definition, { wrapUnions: 'never' }),
  };
}

/** The newest version of each record: what is written today. */
export const REQUEST_LOG_SCHEMA = loadSchema('RequestLog', 'request-log', 1);
export const INTERFACE_METRIC_SCHEMA = loadSchema('InterfaceMetric', 'interface-metric', 1);
export const EDGE_ACCOUNT_SCHEMA = loadSchema('EdgeAccount', 'edge-account', 1);

/** Every version that may stand in a topic. A new version is added here and its file stays for ever. */
export const ALL_SCHEMAS: readonly AvroSchema[] = [
  REQUEST_LOG_SCHEMA,
  INTERFACE_METRIC_SCHEMA,
  EDGE_ACCOUNT_SCHEMA,
];

const byFingerprint = new Map(ALL_SCHEMAS.map((schema) => [schema.fingerprint.toString('hex'), schema]));

/** The schema with these 16 bytes as its fingerprint, or undefined where it is none of ours. */
export function schemaByFingerprint(fingerprint: Buffer): AvroSchema | undefined {
  return byFingerprint.get(fingerprint.toString('hex'));
}
