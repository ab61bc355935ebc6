/*
 * The answer a panel shows while newer ones are asked for. Data stays while it is refreshed, while another window or
 * filter is asked about and while that fails; a failure stays until the next answer.
 */
import type { AskError } from '@imscope/schemas/query-api/ask.js';

export type HeldAnswer<A> = {
  /** The last good answer, or null before the first. */
  readonly answer: A | null;
  /** Identifies the question and its parameters. */
  readonly askedBy: string;
  /** When the answer came, milliseconds; 0 before the first. */
  readonly receivedAtMs: number;
  /** Of the last attempt; null after an answer. */
  readonly error: AskError | null;
};

/** What is known of the question that is asked now. */
export type AskResult<A> = {
  readonly data: A | undefined;
  readonly dataUpdatedAt: number;
  readonly error: AskError | null;
  /** Of an attempt that is retried. */
  readonly failureReason: AskError | null;
};

export const NOTHING_HELD = { answer: null, askedBy: '', receivedAtMs: 0, error: null } as const;

export function holdAnswer<A>(
  before: HeldAnswer<A>,
  askedBy: string,
  { data, dataUpdatedAt, error, failureReason }: AskResult<A>,
): HeldAnswer<A> {
  const failure = error ?? failureReason;
  // Every answer is another object, also one with equal data.
  if (data !== undefined && data !== before.answer) {
    return { answer: data, askedBy, receivedAtMs: dataUpdatedAt, error: failure };
  }
  return failure === null || failure === before.error ? before : { ...before, error: failure };
}
