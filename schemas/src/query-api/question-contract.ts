/*
 * What the contract of one question holds. Each question has a file in this folder; `questions.ts` lists
 * them. Routes, the OpenAPI document and the client derive from that list.
 */
import type { TObject, TSchema } from 'typebox';

export type QuestionContract = {
  /** `:sdk_app_id` is a path parameter. */
  readonly path: `/v1/${string}`;
  /** `application`: about the one the path names. `fleet`: about all applications the caller may read. */
  readonly scope: 'application' | 'fleet';
  /** What the caller's token has to be; `requests` for single requests. */
  readonly tokenScope?: 'requests';
  readonly operationId: string;
  readonly summary: string;
  /** Parameters in the path, beside `sdk_app_id`. */
  readonly inPath?: TObject;
  /** 404 `not_found` where what these name is not stored. */
  readonly mayNotBeFound?: true;
  /** The parameters: in the query of a GET, or in the body of a POST. */
  readonly query: TObject;
  /** The shape of `data` in the answer. */
  readonly data: TSchema;
  /** `data` is a list with a bound: `left_out` beside it says how many entries the bound left out. */
  readonly isBoundedList: boolean;
  /** Takes `PERSONAL_FILTERS` too, in the body of a POST. */
  readonly hasPersonalFilters?: true;
};
