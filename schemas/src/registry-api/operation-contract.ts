/*
 * What the contract of one operation of the registry holds. Routes, the OpenAPI document and the client derive from the
 * list in `operations.ts`.
 */
import type { TObject, TSchema } from 'typebox';

export type OperationContract = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `:sdk_app_id` and others are path parameters. */
  readonly path: `/v1/registry/${string}`;
  readonly operationId: string;
  readonly summary: string;
  /** The path's parameters. */
  readonly params: TObject;
  readonly query: TObject;
  /** JSON body; null where there is none. `text` bodies are CSV or NDJSON. */
  readonly body: TSchema | 'text' | null;
  /** The caller names the revision it changes, in `If-Match`: another change in between is 412. */
  readonly ifMatch: boolean;
  /** 200 unless given. */
  readonly status: 200 | 201 | 202;
  readonly answer: TSchema;
};
