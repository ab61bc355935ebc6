/*
 * The answers a page holds, kept by TanStack Query, and the rules for all of them: one request for a question at a time,
 * cancelled when nothing on the page shows its answer; failures are retried while the page is visible; what is no longer
 * shown is forgotten. The end of the session is handled here, once for all questions.
 */
import { QueryCache, QueryClient, type QueryFilters } from '@tanstack/react-query';
import { asAskError } from './ask-service.js';
import { isRefused, retryDelayMs } from './retry.js';

/** @param onSessionEnd the service no longer knows the session */
export function createServerState(onSessionEnd: () => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (asAskError(error).status === 401) onSessionEnd();
      },
    }),
    defaultOptions: {
      queries: {
        // Attempts do not wait for the browser's opinion of the network: the service may be on this machine.
        networkMode: 'always',
        retry: (_failures, error) => !isRefused(asAskError(error)),
        retryDelay: (failures) => retryDelayMs(failures, Math.random()),
        refetchOnReconnect: false,
        gcTime: 0,
        // Each answer is for a later window: comparing it in depth with the one before saves nothing.
        structuralSharing: false,
      },
    },
  });
}

type QueryState = {
  readonly status: 'pending' | 'error' | 'success';
  readonly dataUpdatedAt: number;
};

/** How questions on the page are refreshed. `intervalMs` null: not at all. */
export function refreshOptions(intervalMs: number | null) {
  return {
    staleTime: intervalMs === null ? Infinity : 0,
    refetchInterval: ({ state }: { readonly state: QueryState }) =>
      state.status === 'error' || intervalMs === null ? (false as const) : intervalMs,
    // A page that was hidden asks at once where a refresh was due meanwhile, and not otherwise.
    refetchOnWindowFocus: ({ state }: { readonly state: QueryState }) =>
      isRefreshDue(state, intervalMs, Date.now()),
  };
}

export function isRefreshDue(
  { status, dataUpdatedAt }: QueryState,
  intervalMs: number | null,
  nowMs: number,
): boolean {
  return intervalMs !== null && status !== 'error' && nowMs - dataUpdatedAt >= intervalMs;
}

/** Asks the page's questions again at once, also one that runs or waits for its next attempt. */
export async function askAgain(state: QueryClient, filters: QueryFilters = {}): Promise<void> {
  await state.cancelQueries(filters);
  await state.refetchQueries({ ...filters, type: 'active' });
}

/** Rejects with an AskError only. */
export async function failAsAskError<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw asAskError(error);
  }
}
