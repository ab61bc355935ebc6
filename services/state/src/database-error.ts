/* What went wrong in a database, as far as callers act on it: try again, or not, or unknown. */
import { errorMessage } from '@imscope/runtime/error-message.js';

/** No connection: the server is away, refuses, or everybody else has the connections. Nothing was sent. */
export class DatabaseUnavailable extends Error {
  constructor(place: string, cause: unknown) {
    super(`no connection to ${place}: ${errorText(cause)}`, { cause });
  }
}

/** No answer in time. The statement may have been done. */
export class StatementTimeout extends Error {
  constructor(place: string, timeoutMs: number) {
    super(`no answer from ${place} within ${timeoutMs} ms; the connection is closed`);
  }
}

/** The connection broke during the commit: the transaction is in force completely, or not at all. */
export class CommitOutcomeUnknown extends Error {
  constructor(place: string, cause: unknown) {
    super(
      `the connection to ${place} broke during a commit, which may have been done: read before doing it again: ${errorText(cause)}`,
      { cause },
    );
  }
}

/** Servers' numbers of errors that end a transaction without a trace of it, so that it may be done again. */
const CONFLICT_NUMBERS = new Set([
  1020, // ER_CHECKREAD: another transaction changed the row that this one has read (MariaDB)
  1205, // ER_LOCK_WAIT_TIMEOUT
  1213, // ER_LOCK_DEADLOCK
]);
const CONNECTION_NUMBERS = new Set([
  1040, // ER_CON_COUNT_ERROR
  1053, // ER_SERVER_SHUTDOWN
  1152, // ER_ABORTING_CONNECTION
  1184, // ER_NEW_ABORTING_CONNECTION
  1927, // ER_CONNECTION_KILLED (MariaDB)
  3169, // ER_SESSION_WAS_KILLED
  4031, // ER_CLIENT_INTERACTION_TIMEOUT
]);
const CONNECTION_CODES = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
]);

/** Another writer was first: the same transaction may succeed now. */
export function isConflict(error: unknown): boolean {
  const { errno, code } = fieldsOf(error);
  return CONFLICT_NUMBERS.has(Number(errno)) || String(code).startsWith('SQLITE_BUSY');
}

/** The connection is gone. What was sent and not answered may have been done. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable || error instanceof StatementTimeout) return true;
  const { errno, code, fatal } = fieldsOf(error);
  return fatal === true || CONNECTION_NUMBERS.has(Number(errno)) || CONNECTION_CODES.has(String(code));
}

/** A row with this key exists. */
export function isDuplicate(error: unknown): boolean {
  const { errno, code } = fieldsOf(error);
  return errno === 1062 || code === 'SQLITE_CONSTRAINT_PRIMARYKEY' || code === 'SQLITE_CONSTRAINT_UNIQUE';
}

function fieldsOf(error: unknown): { errno?: unknown; code?: unknown; fatal?: unknown } {
  return typeof error === 'object' && error !== null ? error : {};
}

/** Node's errors about several addresses of one name have no message of their own. */
function errorText(error: unknown): string {
  if (error instanceof AggregateError && error.message === '')
    return error.errors.map((one) => errorMessage(one)).join(', ');
  return errorMessage(error);
}
