/*
 * Why callers did not get an answer: the closed list of reasons that `imscope_query_refused_total` is counted by.
 */
export type RefusalReason =
  | 'answers_full'
  | 'answers_wait'
  | 'answer_unread'
  | 'queue_full'
  | 'queue_wait'
  | 'store_away'
  | 'store_failed'
  | 'timeout'
  | 'too_large'
  | 'too_many_rows'
  | 'too_many_streams'
  | 'sign_in_guesses';

/** A counter by reason. */
export type RefusalMetrics = {
  readonly refused: { inc(labels: { readonly reason: RefusalReason }): void };
};
