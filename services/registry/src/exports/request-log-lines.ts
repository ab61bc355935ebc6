/*
 * The request logs of one application and window as lines, streamed from the store. The fields are those of the API's list
 * of single requests, and addresses leave the store masked, as there.
 */
import { maskedIpSql } from '@imscope/schemas/ip-address.js';
import { type RequestLogField, STORED_FIELDS } from '@imscope/schemas/request-log-fields.js';
import { HOUR_MS, TERM_HOURS } from '@imscope/schemas/retention.js';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import type { ExportLine } from './export-lines.js';

/** Half-open. */
export type LogWindow = { readonly sdkAppId: number; readonly fromMs: number; readonly toMs: number };

export type ReadRequestLogs = (window: LogWindow, signal: AbortSignal) => AsyncIterable<ExportLine>;

export const REQUEST_LOG_TERM_MS = TERM_HOURS.requestLog * HOUR_MS;

/** Beside the answers of query services: an export may take longer. */
const THREADS_MAX = 2;
const MEMORY_BYTES_MAX = 512 * 1024 * 1024;

/** `time` is first, so that the time of a line is found without reading the line. */
const SQL = `
SELECT
  ${[...STORED_FIELDS]
    .toSorted((one, other) => Number(other.type === 'time') - Number(one.type === 'time'))
    .map((field) => `${expressionOf(field)} AS \`${field.sentAs ?? field.name}\``)
    .join(',\n  ')}
FROM (
  SELECT ${STORED_FIELDS.map(({ name }) => `${name} AS stored_${name}`).join(', ')}
  FROM request_log_kept
  WHERE sdk_app_id = {sdk_app_id:UInt64}
    AND time >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
    AND time < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')
  ORDER BY sdk_app_id, toStartOfMinute(time)
)`;
const LINE = /^\{"time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)",.*\}$/s;

/** Names of the columns are other ones than those of the answer, which are of other types. */
function expressionOf({ name, type }: RequestLogField & { readonly name: string }): string {
  const column = `stored_${name}`;
  if (type === 'time') return `concat(replaceOne(toString(${column}), ' ', 'T'), 'Z')`;
  if (type === 'duration') return `${column} / 1000`;
  return type === 'address' ? maskedIpSql(column) : column;
}

/** @param timeMaxMs after it the store ends the query */
export function createRequestLogReader(client: ClickHouseClient, timeMaxMs: number): ReadRequestLogs {
  return async function* readRequestLogs(window, signal) {
    try {
      yield* streamLines(client, window, timeMaxMs, signal);
    } catch (error) {
      // What the reader of the lines throws does not come here.
      throw storeFailure(error, signal);
    }
  };
}

async function* streamLines(
  client: ClickHouseClient,
  { sdkAppId, fromMs, toMs }: LogWindow,
  timeMaxMs: number,
  signal: AbortSignal,
): AsyncGenerator<ExportLine> {
  const result = await client.query({
    query: SQL,
    query_params: { sdk_app_id: sdkAppId, from_ms: fromMs, to_ms: toMs },
    format: 'JSONEachRow',
    abort_signal: signal,
    clickhouse_settings: {
      max_execution_time: Math.ceil(timeMaxMs / 1_000),
      max_threads: THREADS_MAX,
      max_memory_usage: String(MEMORY_BYTES_MAX),
      output_format_json_quote_64bit_integers: 0,
    },
  });
  for await (const rows of result.stream()) {
    for (const { text } of rows) {
      const [, time] = LINE.exec(text) ?? [];
      // An error of the store within its answer, or half a line.
      if (time === undefined) throw new Error('the store’s answer holds a line that is no request log');
      yield { json: text, endsMs: Date.parse(time) + REQUEST_LOG_TERM_MS };
    }
  }
}

function storeFailure(error: unknown, signal: AbortSignal): HttpError {
  return signal.aborted
    ? new HttpError('timeout', 'the export took too long: give a shorter window', { cause: error })
    : new HttpError('unavailable', 'the telemetry store did not answer completely: try again', {
        cause: error,
      });
}
