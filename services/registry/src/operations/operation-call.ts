/*
 * How an operation of the API is handled: one function for each name of OPERATIONS, given what the HTTP side has checked.
 * Rooms provide handlers of their operations; `create-registry.ts` puts them together.
 */
import type { Readable } from 'node:stream';
import type { Grant } from '@imscope/access/grant.js';
import type {
  OperationAnswer,
  OperationBody,
  OperationName,
  OperationParams,
  OperationQuery,
  OPERATIONS,
} from '@imscope/schemas/registry-api/operations.js';

/** A body of text is a stream: CSV or NDJSON, as its content type says. */
export type TextBody = { readonly contentType: string; readonly stream: Readable };

type Contract<O extends OperationName> = (typeof OPERATIONS)[O];

export type OperationCall<O extends OperationName> = {
  readonly params: OperationParams<O>;
  readonly query: OperationQuery<O>;
  readonly body: Contract<O>['body'] extends 'text' ? TextBody : OperationBody<O>;
  /** The revision that the caller changes. */
  readonly ifMatch: Contract<O>['ifMatch'] extends true ? number : undefined;
  /** Has scope admin, and may use the application that the path names. */
  readonly caller: Grant;
  readonly nowMs: number;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
};

/** Throws `HttpError`. */
export type Handler<O extends OperationName> = (call: OperationCall<O>) => Promise<OperationAnswer<O>>;
export type Handlers = { readonly [O in OperationName]: Handler<O> };

/** The bound of a page, where the caller gives none. */
export const PAGE_LIMIT = 100;
