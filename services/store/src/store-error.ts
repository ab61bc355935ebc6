/*
 * Errors in the form of a ClickHouse server: `Code: N. DB::Exception: … (NAME) (version …)`, the code in a header,
 * and the HTTP status that the server uses for that code. One table holds the codes the store itself raises.
 */
import { errorMessage } from '@imscope/runtime/error-message.js';

/** Codes the store itself raises. Errors of the engine contain their names. */
const NAMES = {
  36: 'BAD_ARGUMENTS',
  48: 'NOT_IMPLEMENTED',
  62: 'SYNTAX_ERROR',
  89: 'UNKNOWN_COMPRESSION_METHOD',
  108: 'NO_DATA_TO_INSERT',
  115: 'UNKNOWN_SETTING',
  117: 'INCORRECT_DATA',
  164: 'READONLY',
  202: 'TOO_MANY_SIMULTANEOUS_QUERIES',
  210: 'NETWORK_ERROR',
  229: 'QUERY_IS_TOO_LARGE',
  236: 'ABORTED',
  241: 'MEMORY_LIMIT_EXCEEDED',
  307: 'TOO_MANY_BYTES',
  394: 'QUERY_WAS_CANCELLED',
  396: 'TOO_MANY_ROWS_OR_BYTES',
  456: 'UNKNOWN_QUERY_PARAMETER',
  497: 'ACCESS_DENIED',
  516: 'AUTHENTICATION_FAILED',
  1002: 'UNKNOWN_EXCEPTION',
} as const;

/** HTTP status by code, as in the server's exceptionCodeToHTTPStatus; 202, 241 and 307 are ours. All others: 500. */
const STATUSES = new Map<number, number>([
  ...[
    6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441, 675,
    676,
  ].map((code) => [code, 400] as const),
  [194, 401],
  ...[192, 193, 497, 512, 516].map((code) => [code, 403] as const),
  ...[46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511].map((code) => [code, 404] as const),
  [159, 408],
  [381, 411],
  [229, 413],
  [307, 413],
  [779, 415],
  [48, 501],
  ...[76, 202, 209, 236, 241, 439].map((code) => [code, 503] as const),
]);

/** An error with ClickHouse's code and name, and the status of its answer. */
export class StoreError extends Error {
  readonly code: number;
  readonly codeName: string;
  readonly status: number;
  constructor(
    code: number,
    codeName: string,
    message: string,
    options: { status?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'StoreError';
    this.code = code;
    this.codeName = codeName;
    this.status = options.status ?? STATUSES.get(code) ?? 500;
  }
}

/** An error raised by the store itself. */
export function storeError(code: keyof typeof NAMES, message: string, status?: number): StoreError {
  return new StoreError(code, NAMES[code], message, status === undefined ? {} : { status });
}

const ENGINE_ERROR =
  /^Code: (\d+)\. DB::(?:\w+)?Exception: (.*?)\.? ?\(([A-Z0-9_]+)\)\s*(?:\(version [^)]*\))?\s*$/s;

/** Any thrown value as a StoreError. Errors of the engine keep their code, name and text. */
export function asStoreError(thrown: unknown): StoreError {
  if (thrown instanceof StoreError) return thrown;
  const message = errorMessage(thrown);
  const parts = ENGINE_ERROR.exec(message);
  if (parts === null) return new StoreError(1002, 'UNKNOWN_EXCEPTION', message, { cause: thrown });
  const [, code = '1002', text = message, name = 'UNKNOWN_EXCEPTION'] = parts;
  // An error in the data of an insert contains itself once more.
  if (text.startsWith(`Code: ${code}. DB::`)) return asStoreError(new Error(text, { cause: thrown }));
  return new StoreError(Number(code), name, text, { cause: thrown });
}

/** The text of a server's answer. @param version of the engine, as `SELECT version()` returns it */
export function exceptionText(error: StoreError, version: string): string {
  return `Code: ${error.code}. DB::Exception: ${error.message}. (${error.codeName}) (version ${version} (official build))\n`;
}
