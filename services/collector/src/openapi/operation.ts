/*
 * One operation of the OpenAPI document, in the parts of OpenAPI 3.1 that this service uses. A route carries its
 * operation in its `config`, so that no route is without one.
 */
import type { ErrorCode } from '@imscope/runtime/http-errors.js';
import type { TSchema } from 'typebox';
import type { BodyBounds } from '../bodies/read-body.js';

/** What a document depends on beside the code: settings, and the clock for times in examples. */
export type DocumentContext = {
  readonly nowMs: number;
  readonly bodyBounds: BodyBounds;
  readonly lateMsMax: number;
};

export type Example = { readonly summary: string; readonly value: unknown };

export type MediaType = { readonly schema: TSchema; readonly examples?: Readonly<Record<string, Example>> };

export type Content = Readonly<Record<string, MediaType>>;

export type Header = {
  readonly description: string;
  readonly required: boolean;
  readonly schema: TSchema;
};

export type Parameter = Header & {
  readonly name: string;
  readonly in: 'header' | 'path' | 'query';
  readonly example?: unknown;
  /** False: one value with commas between, not the name repeated. */
  readonly explode?: boolean;
};

export type Response = {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Header>>;
  readonly content?: Content;
};

export type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, Response>>;
  /** The answer does not end by itself: the client closes the connection. */
  readonly 'x-endless'?: true;
};

export type DescribeOperation = (context: DocumentContext) => Operation;

export const SECURITY = {
  write: [{ write: [] }],
  requests: [{ requests: [] }],
  none: [],
} as const;

/** What can go wrong before a route's own work: the head of any request. */
export const HEAD_ERRORS = [
  'malformed_request',
  'request_timeout',
  'expectation_failed',
  'headers_too_large',
  'internal_error',
  'unavailable',
] as const satisfies readonly ErrorCode[];

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: DescribeOperation;
  }
}
