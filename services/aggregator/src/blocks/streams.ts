/*
 * Which topic goes into which table, and how: one INSERT for each schema version, with named columns only.
 * The structure given to input() names the columns as they are in the messages.
 */
import {
  ALL_SCHEMAS,
  type AvroSchema,
  EDGE_ACCOUNT_SCHEMA,
  INTERFACE_METRIC_SCHEMA,
  REQUEST_LOG_SCHEMA,
} from '@imscope/schemas/avro-schema.js';
import { OUTCOMES } from '@imscope/schemas/outcome.js';
import { type FieldType, STORED_FIELDS } from '@imscope/schemas/request-log-fields.js';
import { TERM_HOURS } from '@imscope/schemas/retention.js';
import { TOPICS, type TopicDefinition } from '@imscope/schemas/topics.js';

export type Stream = {
  readonly topic: TopicDefinition;
  readonly table: string;
  /**
   * Column name and type as read from Avro, in order. Strings are read as String even where the table has
   * LowCardinality: building the dictionary while decoding took twice the processor time.
   */
  readonly columns: readonly (readonly [name: string, type: string])[];
  /** Whether rows carry their block. Aggregated rows cannot. */
  readonly blockColumns: boolean;
  /** Written to the topic as a marker. */
  readonly schema: AvroSchema;
  /** Every version that the topic may contain. */
  readonly schemas: readonly AvroSchema[];
  /** How long its records are kept from their event time on; the tables' TTL. */
  readonly termHours: number;
};

function versionsOf(name: AvroSchema['name']): readonly AvroSchema[] {
  return ALL_SCHEMAS.filter((schema) => schema.name === name);
}

const TIME = "DateTime64(3, 'UTC')";

/** Types of the columns as read from Avro, by the type of the field. */
const FIELD_COLUMNS: Readonly<Record<FieldType, string>> = {
  time: TIME,
  id: 'Int64',
  duration: 'Int64',
  int: 'Int32',
  text: 'String',
  address: 'IPv6',
  outcome: `Enum8(${OUTCOMES.map((outcome, index) => `'${outcome}' = ${index}`).join(', ')})`,
};

export const REQUEST_LOG_STREAM: Stream = {
  topic: TOPICS.requestLog,
  table: 'request_log',
  schema: REQUEST_LOG_SCHEMA,
  schemas: versionsOf('RequestLog'),
  termHours: TERM_HOURS.requestLog,
  blockColumns: true,
  columns: STORED_FIELDS.map(({ name, type, nullable }) => [
    name,
    nullable ? `Nullable(${FIELD_COLUMNS[type]})` : FIELD_COLUMNS[type],
  ]),
};

export const INTERFACE_METRIC_STREAM: Stream = {
  topic: TOPICS.interfaceMetric,
  table: 'interface_metric',
  schema: INTERFACE_METRIC_SCHEMA,
  schemas: versionsOf('InterfaceMetric'),
  termHours: TERM_HOURS.interfaceMetric,
  blockColumns: false,
  columns: [
    ['window_start', TIME],
    ['window_s', 'Int32'],
    ['sdk_app_id', 'Int64'],
    ['interface', 'String'],
    ['region', 'String'],
    ['success', 'Int64'],
    ['caller_error', 'Int64'],
    ['service_error', 'Int64'],
    ['unknown', 'Int64'],
    ['codes', 'Map(String, Int64)'],
    ['latency_sum_us', 'Int64'],
    ['latency_max_us', 'Int64'],
    ['latency_histogram', 'Map(Int16, Int64)'],
    ['logged_weight', 'Int64'],
  ],
};

export const EDGE_ACCOUNT_STREAM: Stream = {
  topic: TOPICS.edgeAccount,
  table: 'edge_account',
  schema: EDGE_ACCOUNT_SCHEMA,
  schemas: versionsOf('EdgeAccount'),
  termHours: TERM_HOURS.edgeAccount,
  blockColumns: false,
  columns: [
    ['time', TIME],
    ['collector', 'String'],
    ['boot', 'String'],
    ['started', TIME],
    ['version', 'String'],
    ['sequence', 'Int64'],
    ['chunk', 'Int32'],
    ['chunks', 'Int32'],
    ['final', 'Bool'],
    ['partitions', 'Array(Tuple(topic String, partition Int32, last_sequence Int64, records Int64))'],
    [
      'applications',
      'Array(Tuple(sdk_app_id Int64, accepted Int64, sampled_out Int64, rejected Map(String, Int64)))',
    ],
    ['covers_from', TIME],
    ['covers_to', TIME],
    ['host', 'String'],
    ['region', 'String'],
    ['settings_hash', 'String'],
    ['account_interval_ms', 'Int32'],
    ['spool_bytes', 'Int64'],
    ['spool_bytes_max', 'Int64'],
    ['waiting_batches', 'Int64'],
    ['sent_bytes', 'Int64'],
    [
      'retired',
      `Array(Tuple(boot String, last_account Int64, accepted_from ${TIME}, accepted_to ${TIME}, missing Int64, keyed_missing Array(Tuple(partition Int32, records Int64)), accepted_max Int64, unaccounted_stored Int64, spool_records_max Int64, by String, reason String))`,
    ],
  ],
};

export const STREAMS: readonly Stream[] = [REQUEST_LOG_STREAM, INTERFACE_METRIC_STREAM, EDGE_ACCOUNT_STREAM];

/** The INSERT of a stream; binds `block_id` where rows carry it, and reads one Avro container as its body. */
export function insertSql(stream: Stream): string {
  const names = stream.columns.map(([name]) => `\`${name}\``);
  const structure = stream.columns.map(([name, type]) => `\`${name}\` ${type}`).join(', ');
  const targets = stream.blockColumns ? [...names, 'block_id', 'block_row'] : names;
  const sources = stream.blockColumns ? [...names, '{block_id:UInt64}', 'rowNumberInAllBlocks()'] : names;
  return (
    `INSERT INTO ${stream.table} (${targets.join(', ')}) SELECT ${sources.join(', ')} ` +
    `FROM input('${structure.replaceAll("'", String.raw`\'`)}') FORMAT Avro`
  );
}
