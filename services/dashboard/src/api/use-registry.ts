/*
 * What pages of the registry hold of it: answers to operations that read, and how they are read again after a change.
 */
import type { AskError } from '@imscope/schemas/query-api/ask.js';
import type { CallInput } from '@imscope/schemas/registry-api/call.js';
import type { OperationAnswer, OperationName } from '@imscope/schemas/registry-api/operations.js';
import { hashKey, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useRef } from 'react';
import { call } from './call-service.js';
import { type HeldAnswer, holdAnswer, NOTHING_HELD } from './held-answer.js';
import { askAgain, failAsAskError } from './server-state.js';
import type { AnswerState } from './use-answer.js';

const KEY = 'registry';

/** The answer stays on the page while another is read; `stale`: it belongs to other input. Nothing is refreshed by itself. */
export function useRegistry<O extends OperationName>(
  operation: O,
  input: CallInput<O>,
): AnswerState<OperationAnswer<O>> {
  const state = useQueryClient();
  const queryKey = [KEY, operation, input] as const;
  const askedBy = hashKey(queryKey);
  const { data, dataUpdatedAt, error, failureReason } = useQuery<OperationAnswer<O>, AskError>({
    queryKey,
    queryFn: ({ signal }) => failAsAskError(call(operation, input, signal)),
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
  const held = useRef<HeldAnswer<OperationAnswer<O>>>(NOTHING_HELD);
  held.current = holdAnswer(held.current, askedBy, { data, dataUpdatedAt, error, failureReason });
  const retry = useCallback(() => {
    void askAgain(state, { predicate: ({ queryHash }) => queryHash === askedBy });
  }, [state, askedBy]);
  const { answer, receivedAtMs } = held.current;
  const stale = answer !== null && held.current.askedBy !== askedBy;
  return { answer, error: held.current.error, stale, receivedAtMs, retry };
}

/** Reads everything of the registry again that is on the page. Resolves when it is there. */
export function useReadAgain(): () => Promise<void> {
  const state = useQueryClient();
  return useCallback(() => askAgain(state, { queryKey: [KEY] }), [state]);
}
