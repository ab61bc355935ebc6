/*
 * The shape of one row of the code catalogue. The tables beside this file hold the rows, one file a family.
 */

/** One listed code: its outcome is never `unknown`. Texts stay below 200 characters. */
export type CodeEntry = {
  readonly code: number;
  /** snake_case, unique in the whole catalogue. */
  readonly name: string;
  readonly outcome: 'success' | 'caller_error' | 'service_error';
  readonly meaning: string;
  /** One sentence: what the caller or the SRE does about it. */
  readonly advice: string;
};
