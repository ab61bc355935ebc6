/*
 * The measured cases: a format, a number of records a request and a number of collector processes. `--only` selects
 * cases by name, and the names of figures begin with it.
 */
import type { BodyFormat } from '../../simulate-gateway/record-writer.js';

export type SentFormat = BodyFormat | 'avro' | 'otlp-protobuf';
export type BodyKind = { readonly format: SentFormat; readonly records: number };

export type Case = BodyKind & { readonly name: string; readonly processes: 1 | 2 };

const FORMATS = ['json', 'ndjson'] as const;
const SIZES = [1, 10, 50, 500];
const SIZES_QUICK = [1, 500];

/** Formats compared with JSON of the same size, with one process, and the ratio they must reach. */
export const BESIDE_JSON = { avro: 1.5, 'otlp-protobuf': 0.5 } as const;
const SIZES_BESIDE_JSON = [50, 500];
const SIZES_BESIDE_JSON_QUICK = [500];

export function allCases(quick: boolean): Case[] {
  const sizes = quick ? SIZES_QUICK : SIZES;
  const processes = quick ? ([1] as const) : ([1, 2] as const);
  const text = FORMATS.flatMap((format) =>
    sizes.flatMap((records) => processes.map((count) => caseOf({ format, records }, count))),
  );
  const besideJson = (Object.keys(BESIDE_JSON) as (keyof typeof BESIDE_JSON)[]).flatMap((format) =>
    (quick ? SIZES_BESIDE_JSON_QUICK : SIZES_BESIDE_JSON).map((records) => caseOf({ format, records }, 1)),
  );
  return [...text, ...besideJson];
}

function caseOf({ format, records }: BodyKind, processes: Case['processes']): Case {
  return { format, records, processes, name: `${format}.${records}-a-request.${processes}-process` };
}

/** Concurrent connections: enough that batches fill and the network is never idle. */
export function connectionsFor(records: number): number {
  return records === 1 ? 256 : records <= 10 ? 128 : records <= 50 ? 64 : 16;
}

/** Different bodies of a measurement: about 20,000 records, more than caches hold. */
export function bodiesFor(records: number): number {
  return Math.max(40, Math.ceil(20_000 / records));
}
