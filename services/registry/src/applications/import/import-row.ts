/* One row of an import, as CSV or NDJSON give it: the members of a creation, not checked yet, or why it cannot be read. */
import type { ErrorCode } from '@imscope/runtime/http-errors.js';

export type RowFault = { readonly code: ErrorCode; readonly message: string };

export type ImportRow = {
  /** Of the file, from 1. */
  readonly line: number;
  readonly given: unknown;
  readonly fault?: RowFault;
};

export function unreadableRow(line: number, message: string): ImportRow {
  return { line, given: undefined, fault: { code: 'unreadable_body', message } };
}
