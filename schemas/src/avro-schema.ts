/*
 * The Avro schemas, every version that was ever written, as the bytes of container headers.
 * A schema's fingerprint is the MD5 of those bytes; it is also the container's sync marker, so that all
 * messages of one schema open with the same bytes and can be joined without being decoded.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
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

const DIRECTORY = new URL('../avro/', import.meta.url);

/** All versions of a record, the oldest first: `<file>.v<version>.avsc`, one file each, never deleted. */
function loadVersions(name: AvroSchema['name'], file: string): readonly [AvroSchema, ...AvroSchema[]] {
  const versions = readdirSync(DIRECTORY)
    .flatMap((entry) => (entry.startsWith(`${file}.v`) ? [Number(/\.v(\d+)\.avsc$/.exec(entry)?.[1])] : []))
    .filter((version) => Number.isInteger(version))
    .toSorted((a, b) => a - b)
    .map((version) => loadSchema(name, `${file}.v${version}.avsc`, version));
  const [first, ...later] = versions;
  if (first === undefined) throw new Error(`no version of ${file} in ${DIRECTORY.pathname}`);
  return [first, ...later];
}

function loadSchema(name: AvroSchema['name'], file: string, version: number): AvroSchema {
  const definition = JSON.parse(readFileSync(new URL(file, DIRECTORY), 'utf8')) as avro.Schema;
  const json = JSON.stringify(definition);
  return {
    name,
    version,
    json,
    fingerprint: createHash('md5').update(json).digest(),
    type: avro.Type.forSchema(definition, { wrapUnions: 'never' }),
  };
}

const requestLogs = loadVersions('RequestLog', 'request-log');
const interfaceMetrics = loadVersions('InterfaceMetric', 'interface-metric');
const edgeAccounts = loadVersions('EdgeAccount', 'edge-account');

/** The newest version of each record: what is written today. */
export const REQUEST_LOG_SCHEMA = newest(requestLogs);
export const INTERFACE_METRIC_SCHEMA = newest(interfaceMetrics);
export const EDGE_ACCOUNT_SCHEMA = newest(edgeAccounts);

function newest(versions: readonly [AvroSchema, ...AvroSchema[]]): AvroSchema {
  return versions.at(-1) ?? versions[0];
}

/** Every version that may be in a topic. */
export const ALL_SCHEMAS: readonly AvroSchema[] = [...requestLogs, ...interfaceMetrics, ...edgeAccounts];

const byFingerprint = new Map(ALL_SCHEMAS.map((schema) => [schema.fingerprint.toString('hex'), schema]));

/** The schema with these 16 bytes as its fingerprint, or undefined where it is unknown. */
export function schemaByFingerprint(fingerprint: Buffer): AvroSchema | undefined {
  return byFingerprint.get(fingerprint.toString('hex'));
}
