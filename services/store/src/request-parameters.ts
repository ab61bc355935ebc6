/*
 * Parses the parameters of a request from URL, form and headers, with the names of ClickHouse's HTTP interface.
 * `param_…` are query parameters; every other unknown name is a setting. A parameter that is not supported is refused
 * by name, unless ignoring it does not change the answer.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { storeError } from './store-error.js';

export type RequestParameters = {
  /** The statement in the URL or the form, or its beginning; undefined where the body holds all of it. */
  readonly query: string | undefined;
  readonly queryId: string;
  readonly database: string;
  readonly defaultFormat: string;
  readonly waitEndOfQuery: boolean;
  readonly compressResponse: boolean;
  readonly compressionLevel: number;
  /** Only reads are allowed: `readonly` is above 0, or the method is GET. */
  readonly readonly: boolean;
  readonly settings: ReadonlyMap<string, string>;
  /** Values of `param_…` by name, TSV-escaped as received. */
  readonly queryParameters: ReadonlyMap<string, string>;
};

/** Parameters that would change the answer and are not supported. Empty and 0 mean "not given". */
const UNSUPPORTED = new Map([
  ['session_id', 'sessions over several requests: give settings and database with every request'],
  ['role', 'roles: the store has one user'],
  ['compress', "ClickHouse's own compression: use Accept-Encoding with enable_http_compression=1"],
  ['decompress', "ClickHouse's own compression: use Content-Encoding"],
]);

/** Parameters of a ClickHouse server that do not change an answer of the store. */
const WITHOUT_EFFECT = new Set([
  'session_timeout',
  'session_check',
  'close_session',
  'quota_key',
  'stacktrace',
  'buffer_size',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'cancel_http_readonly_queries_on_client_close',
  'http_response_buffer_size',
  'http_write_exception_in_output_format',
  'add_http_cors_header',
]);

const HANDLED = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'wait_end_of_query',
  'enable_http_compression',
  'http_zlib_compression_level',
  'readonly',
  'user',
  'password',
]);

const SETTING_NAME = /^[A-Za-z_][A-Za-z0-9_.]{0,127}$/;
const PARAMETER_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const FORMAT_NAME = /^[A-Za-z0-9]{1,64}$/;

/** Throws codes 36, 48 and 115. */
export function readParameters(
  pairs: Iterable<readonly [string, string]>,
  headers: IncomingHttpHeaders,
  method: string | undefined,
): RequestParameters {
  const handled = new Map<string, string>();
  const settings = new Map<string, string>();
  const queryParameters = new Map<string, string>();
  for (const [name, value] of pairs) {
    const unsupported = UNSUPPORTED.get(name);
    if (unsupported !== undefined) {
      if (value !== '' && value !== '0')
        throw storeError(48, `${name}=${value} is not supported: ${unsupported}`);
    } else if (HANDLED.has(name)) {
      handled.set(name, value);
    } else if (name.startsWith('param_')) {
      const bound = name.slice('param_'.length);
      if (!PARAMETER_NAME.test(bound)) throw storeError(36, `Bad name of a query parameter: "${name}"`);
      queryParameters.set(bound, value);
    } else if (!WITHOUT_EFFECT.has(name)) {
      if (!SETTING_NAME.test(name)) throw storeError(115, `Unknown setting '${name}'`);
      settings.set(name, value);
    }
  }
  const defaultFormat =
    handled.get('default_format') ?? header(headers, 'x-clickhouse-format') ?? 'TabSeparated';
  if (!FORMAT_NAME.test(defaultFormat)) throw storeError(36, `Bad default_format: "${defaultFormat}"`);
  return {
    query: handled.get('query'),
    queryId: handled.get('query_id') || randomUUID(),
    database: handled.get('database') || header(headers, 'x-clickhouse-database') || 'default',
    defaultFormat,
    waitEndOfQuery: isOn(handled.get('wait_end_of_query')),
    compressResponse: isOn(handled.get('enable_http_compression')),
    compressionLevel: compressionLevel(handled.get('http_zlib_compression_level')),
    readonly: method !== 'POST' || isOn(handled.get('readonly')),
    settings,
    queryParameters,
  };
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}

function compressionLevel(value: string | undefined): number {
  if (value === undefined) return 3;
  if (!/^[1-9]$/.test(value)) throw storeError(36, `http_zlib_compression_level is "${value}": give 1 to 9`);
  return Number(value);
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
