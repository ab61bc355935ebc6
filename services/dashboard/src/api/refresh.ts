/*
 * How often the panels of a page ask again. One clock for the whole page: `intervalMs` null while paused or while
 * the window lies in the past; `round` grows when the reader asks for fresh data at once.
 */
import { createContext, useCallback, useMemo, useState } from 'react';
import { refreshIntervalMs, type TimeWindow } from '../state/time-window.js';

export type Refresh = { readonly intervalMs: number | null; readonly round: number };

export const RefreshContext = createContext<Refresh>({ intervalMs: null, round: 0 });

export type RefreshControls = {
  readonly refresh: Refresh;
  /** What the interval would be if it ran; null where the window cannot change. */
  readonly possibleMs: number | null;
  readonly paused: boolean;
  readonly setPaused: (paused: boolean) => void;
  readonly refreshNow: () => void;
};

export function useRefreshControls(window: TimeWindow): RefreshControls {
  const [paused, setPaused] = useState(false);
  const [round, setRound] = useState(0);
  const possibleMs = refreshIntervalMs(window);
  const intervalMs = paused ? null : possibleMs;
  const refresh = useMemo(() => ({ intervalMs, round }), [intervalMs, round]);
  const refreshNow = useCallback(() => {
    setRound((count) => count + 1);
  }, []);
  return { refresh, possibleMs, paused, setPaused, refreshNow };
}
