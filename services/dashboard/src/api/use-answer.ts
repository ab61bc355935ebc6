/*
 * One question of a page to the query service, refreshed with the page.
 */
import type { AskError } from '@imscope/schemas/query-api/ask.js';
import type { AnswerTo, ParametersOf, QuestionName } from '@imscope/schemas/query-api/questions.js';
import { hashKey, skipToken, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useContext, useRef } from 'react';
import { ask } from './ask-service.js';
import { type HeldAnswer, holdAnswer, NOTHING_HELD } from './held-answer.js';
import { RefreshContext } from './refresh-context.js';
import { askAgain, failAsAskError, refreshOptions } from './server-state.js';

/** `A`: the answer with its envelope. */
export type AnswerState<A> = {
  /** The last good answer, or null before the first. */
  readonly answer: A | null;
  /** Of the last attempt; null after a success. */
  readonly error: AskError | null;
  /** The answer belongs to another window or filter than the one asked for now. */
  readonly stale: boolean;
  /** When the answer came, milliseconds; 0 before the first. */
  readonly receivedAtMs: number;
  readonly retry: () => void;
};

export type StateOf<Q extends QuestionName> = AnswerState<AnswerTo<Q>>;

/**
 * @param parameters null: nothing is asked
 * @param options `paused`: the answer stays as it is, and nothing is asked
 */
export function useAnswer<Q extends QuestionName>(
  question: Q,
  parameters: ParametersOf<Q> | null,
  { paused = false }: { readonly paused?: boolean } = {},
): StateOf<Q> {
  const state = useQueryClient();
  const queryKey = [question, parameters] as const;
  const askedBy = hashKey(queryKey);
  const { data, dataUpdatedAt, error, failureReason } = useQuery<AnswerTo<Q>, AskError>({
    ...refreshOptions(useContext(RefreshContext)),
    queryKey,
    queryFn:
      parameters === null ? skipToken : ({ signal }) => failAsAskError(ask(question, parameters, signal)),
    enabled: !paused,
  });
  const held = useRef<HeldAnswer<AnswerTo<Q>>>(NOTHING_HELD);
  held.current = holdAnswer(held.current, askedBy, { data, dataUpdatedAt, error, failureReason });
  const retry = useCallback(() => {
    void askAgain(state, { predicate: ({ queryHash }) => queryHash === askedBy });
  }, [state, askedBy]);
  const { answer, receivedAtMs } = held.current;
  const stale = parameters !== null && answer !== null && held.current.askedBy !== askedBy;
  return { answer, error: held.current.error, stale, receivedAtMs, retry };
}
