/*
 * The bounds of an answer. Every route declares them, and the service does not start where one does not
 * (`answer-budget.ts`). An answer has points: steps of time, or the requests of a page. Its bound in bytes grows with
 * the number of points, so that small questions reserve little.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';

export const KIB = 1 << 10;
export const MIB = 1 << 20;

export type AnswerBounds = {
  readonly pointsMax: number;
  /** Rows that the store may give to one question; beyond it the caller gets 422. */
  readonly rowsMax: number;
  /** Bytes that the store may give, and bytes of the answer: beside its points, and for each of them. */
  readonly bytes: number;
  readonly bytesPerPoint: number;
  /** Bytes of memory for each byte of JSON: measured, see the README. */
  readonly memoryPerByte: number;
};

/** Rows of text and numbers. */
export const FLAT_ROWS = 4;
/** Rows with histograms: each bucket is an array. */
export const HISTOGRAM_ROWS = 8;

/** Answers that are not made of the store's rows: the session, the description, the files of the dashboard. */
export const SMALL_ANSWER: AnswerBounds = {
  pointsMax: 0,
  rowsMax: 0,
  bytes: 1_024 * KIB,
  bytesPerPoint: 0,
  memoryPerByte: 1,
};

/** The bound in bytes of an answer with this many points. */
export function bytesOf({ bytes, bytesPerPoint }: AnswerBounds, points: number): number {
  return bytes + bytesPerPoint * points;
}

/** What is reserved for building it. */
export function memoryOf(bounds: AnswerBounds, points: number): number {
  return bytesOf(bounds, points) * bounds.memoryPerByte;
}

/** Throws `HttpError` invalid_parameter. */
export function requirePoints({ pointsMax }: AnswerBounds, points: number): void {
  if (points <= pointsMax) return;
  throw new HttpError(
    'invalid_parameter',
    `this question has ${points} points, ${pointsMax} are allowed: give a longer step or a shorter window`,
  );
}
