/*
 * The page's state in the address. One action makes one entry of the browser's history, so that Back undoes a zoom or a
 * filter. Typing replaces the present entry.
 */
import { useCallback, useMemo } from 'react';
import { useLocation, useSearch } from 'wouter';
import { formatPageState, type PageState, parsePageState } from './page-state.js';

export type ChangePageState = (change: Partial<PageState>, how?: 'push' | 'replace') => void;

export function usePageState(): readonly [PageState, ChangePageState] {
  const search = useSearch();
  const [path, navigate] = useLocation();
  const state = useMemo(() => parsePageState(search), [search]);
  const change = useCallback<ChangePageState>(
    (part, how = 'push') => {
      const next = formatPageState({ ...state, ...part });
      if (next === formatPageState(state)) return;
      navigate(next === '' ? path : `${path}?${next}`, { replace: how === 'replace' });
    },
    [state, path, navigate],
  );
  return [state, change];
}
