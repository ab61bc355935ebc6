/*
 * One question to the query service, asked again on an interval. Promises: never two requests of one panel at once;
 * an older answer never overwrites a newer; data stays while it is refreshed or the refresh fails; nothing is asked
 * while the page is hidden; failures are retried here and nowhere else, with jitter, from 5 s up to 60 s apart.
 */
import type { Answer } from '@imscope/schemas/query-api/answers.js';
import { useCallback, useContext, useEffect, useRef, useState } from 'react';
import { askQuery, QueryError } from './query-client.js';
import { RefreshContext } from './refresh.js';
import { SessionContext } from './session-context.js';

export type AnswerState<T> = {
  /** The last good answer, or null before the first. */
  readonly answer: Answer<T> | null;
  /** Of the last attempt; null after a success. */
  readonly error: QueryError | null;
  /** The answer shown belongs to another window or filter than the one asked for now. */
  readonly stale: boolean;
  /** When the answer shown came, milliseconds; 0 before the first. */
  readonly receivedAtMs: number;
  readonly retry: () => void;
};

const RETRY_MS_MIN = 5000;
const RETRY_MS_MAX = 60_000;

type Held<T> = { path: string; answer: Answer<T> | null; error: QueryError | null; receivedAtMs: number };

/** `path` null: nothing is asked. */
export function useAnswer<T>(path: string | null): AnswerState<T> {
  const { intervalMs, round } = useContext(RefreshContext);
  const { expire } = useContext(SessionContext);
  const [held, setHeld] = useState<Held<T>>({ path: '', answer: null, error: null, receivedAtMs: 0 });
  const [attempt, setAttempt] = useState(0);
  const answered = useRef('');

  useEffect(() => {
    if (path === null) return undefined;
    const asked = `${round.toString()} ${attempt.toString()} ${path}`;
    return poll({
      // Pausing must not ask once more for what is already there.
      immediate: intervalMs !== null || answered.current !== asked,
      intervalMs,
      ask: async (signal) => {
        const answer = await askQuery<T>(path, signal);
        answered.current = asked;
        setHeld({ path, answer, error: null, receivedAtMs: Date.now() });
      },
      fail: (error) => {
        if (error.status === 401) expire();
        setHeld((before) => ({ ...before, error }));
      },
    });
  }, [path, intervalMs, round, attempt, expire]);

  const retry = useCallback(() => {
    setAttempt((count) => count + 1);
  }, []);
  const { answer, error, receivedAtMs } = held;
  return {
    answer,
    error,
    stale: path !== null && answer !== null && held.path !== path,
    receivedAtMs,
    retry,
  };
}

type Poll = {
  readonly immediate: boolean;
  readonly intervalMs: number | null;
  readonly ask: (signal: AbortSignal) => Promise<void>;
  readonly fail: (error: QueryError) => void;
};

/** Asks until the returned function is called. */
function poll({ immediate, intervalMs, ask, fail }: Poll): () => void {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let due = false;
  let failures = 0;

  const schedule = (delayMs: number): void => {
    timer = setTimeout(() => {
      due = true;
      if (!document.hidden) void run();
    }, delayMs);
  };
  const run = async (): Promise<void> => {
    due = false;
    try {
      await ask(controller.signal);
      failures = 0;
      if (intervalMs !== null && !controller.signal.aborted) schedule(intervalMs);
    } catch (error) {
      if (controller.signal.aborted) return;
      const known =
        error instanceof QueryError ? error : new QueryError(0, 'page_failed', String(error), error);
      fail(known);
      failures += 1;
      // A refused question stays refused; it is asked again when someone changes or retries it.
      if (known.status >= 400 && known.status < 500 && known.status !== 429) return;
      const backoffMs = Math.min(RETRY_MS_MIN * 2 ** (failures - 1), RETRY_MS_MAX);
      schedule(backoffMs * (0.75 + Math.random() / 2));
    }
  };
  const resume = (): void => {
    if (due && !document.hidden) void run();
  };
  document.addEventListener('visibilitychange', resume);
  if (immediate) void run();
  return () => {
    controller.abort();
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', resume);
  };
}
