/*
 * The bodies of an endpoint, by content type: the schema of each form of a body, with examples. Which content types an
 * endpoint accepts is its own table.
 */
import { type TSchema, Type } from 'typebox';
import { RECORDS_MAX } from '../bodies/parse-body.js';
import type { BodyFormat, BodyFormats } from '../bodies/read-body.js';
import type { Content, DocumentContext, Example, MediaType } from './operation.js';
import { otlpExamples, OtlpLogsSchema } from './otlp-schema.js';
import { exampleRecord, RECORD_REF } from './record-schema.js';

const binary = (description: string): TSchema => Type.String({ format: 'binary', description });

/** The schema of each form. Examples are sent by a test, which expects the answer's example of the same name. */
const MEDIA: Readonly<Record<BodyFormat, (context: DocumentContext) => MediaType>> = {
  json: ({ nowMs }) => ({
    schema: Type.Union([RECORD_REF, Type.Array(RECORD_REF, { maxItems: RECORDS_MAX })]),
    examples: jsonExamples(nowMs),
  }),
  ndjson: ({ nowMs }) => ({
    schema: Type.String({
      description: `one record a line, at most ${RECORDS_MAX} lines; a line that is not JSON is refused alone`,
      contentMediaType: 'application/x-ndjson',
      contentSchema: RECORD_REF,
    }),
    examples: ndjsonExamples(nowMs),
  }),
  avro: () => ({
    schema: binary(
      'one Avro object container file of schemas/avro/request-log.v1.avsc, codec null, deflate or zstandard',
    ),
  }),
  'otlp-json': ({ nowMs }) => ({ schema: OtlpLogsSchema, examples: otlpExamples(nowMs) }),
  'otlp-protobuf': () => ({
    schema: binary('opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest'),
  }),
};

export function requestBody(
  formats: BodyFormats,
  context: DocumentContext,
): { required: true; content: Content } {
  const content = Array.from(formats, ([type, format]): [string, MediaType] => [
    type,
    MEDIA[format](context),
  ]);
  return { required: true, content: Object.fromEntries(content) };
}

function jsonExamples(nowMs: number): Record<string, Example> {
  const record = exampleRecord(nowMs);
  return {
    one: { summary: 'one record', value: record },
    several: { summary: 'two records, one of them refused', value: [record, { ...record, latency_ms: -1 }] },
    notRecords: { summary: 'JSON that is not a record', value: 'record' },
  };
}

function ndjsonExamples(nowMs: number): Record<string, Example> {
  const line = JSON.stringify(exampleRecord(nowMs));
  return {
    one: { summary: 'one record', value: `${line}\n` },
    severalLines: { summary: 'two lines, one of them refused', value: `${line}\n"record"\n` },
  };
}
