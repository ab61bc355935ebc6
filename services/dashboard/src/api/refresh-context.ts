/*
 * How often the panels of a page ask again: one interval for the whole page, null while paused or while the window is in
 * the past.
 */
import { useQueryClient } from '@tanstack/react-query';
import { createContext, useCallback, useState } from 'react';
import { refreshIntervalMs, type TimeWindow } from '../state/time-window.js';
import { askAgain } from './server-state.js';

/** Milliseconds. */
export const RefreshContext = createContext<number | null>(null);

export type RefreshControls = {
  readonly intervalMs: number | null;
  /** The interval while not paused; null where the window cannot change. */
  readonly possibleMs: number | null;
  readonly paused: boolean;
  readonly setPaused: (paused: boolean) => void;
  readonly refreshNow: () => void;
};

export function useRefreshControls(window: TimeWindow): RefreshControls {
  const state = useQueryClient();
  const [paused, setPaused] = useState(false);
  const possibleMs = refreshIntervalMs(window);
  const refreshNow = useCallback(() => {
    void askAgain(state);
  }, [state]);
  const pause = useCallback(
    (next: boolean) => {
      setPaused(next);
      if (!next) refreshNow();
    },
    [refreshNow],
  );
  return { intervalMs: paused ? null : possibleMs, possibleMs, paused, setPaused: pause, refreshNow };
}
