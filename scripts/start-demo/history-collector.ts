/*
 * The collector that accepts the history and nothing else. Its accounts cover the event times of the history; the final
 * account, written when it stops, says that this is all. So windows of these days are known, while a time in which no
 * collector ran stays unknown.
 */
import type { Stack } from '../stack/stack.js';
import { HISTORY_TERMS_ENV } from './terms.js';

export type HistorySpan = { readonly fromMs: number; readonly toMs: number };

export type HistoryCollector = {
  readonly url: string;
  /** Ends it with its final account; what it holds goes to Kafka first. Safe twice. */
  stop(): Promise<void>;
};

const NAME = 'collector history';

/** Starts it. What an earlier one left in its spool is sent too, and ended with a final account. */
export async function startHistoryCollector(
  stack: Stack,
  { fromMs, toMs }: HistorySpan,
): Promise<HistoryCollector> {
  const { url } = await stack.startCollector({
    name: NAME,
    env: {
      ...HISTORY_TERMS_ENV,
      COLLECTOR_NAME: 'history',
      HISTORY_FROM: new Date(fromMs).toISOString(),
      HISTORY_TO: new Date(toMs).toISOString(),
      // Only the simulator sends to it, and that has ended by the time it is stopped.
      DRAIN_MS: '0',
    },
  });
  return { url, stop: () => stack.stop(NAME) };
}
