/*
 * The list of requests, newest first: a first page that is refreshed with the rest of the page, and older pages by
 * cursor. While someone reads older pages or the details of a request, the list is held still.
 */
import type { RequestPage, RequestRow } from '@imscope/schemas/query-api/answers.js';
import { useCallback, useRef, useState } from 'react';
import { askQuery, type QueryError } from '../../api/query-client.js';
import { asQueryError } from '../../api/session-client.js';
import { type AnswerState, useAnswer } from '../../api/use-answer.js';

export const PAGE_ROWS = 50;
/** More rows than this are not kept in the page: it then asks for narrower filters. */
export const ROWS_MAX = 1000;

type Older = {
  readonly path: string;
  readonly rows: readonly RequestRow[];
  readonly cursor: string | null;
};

export type RequestPages = {
  readonly first: AnswerState<RequestPage>;
  readonly rows: readonly RequestRow[];
  /** Older rows exist beyond these. */
  readonly more: boolean;
  readonly full: boolean;
  readonly loading: boolean;
  readonly olderError: QueryError | null;
  readonly loadOlder: () => void;
  /** The list stands still until released. */
  readonly held: boolean;
  readonly hold: () => void;
  readonly release: () => void;
};

/** `path`: the question with all filters, without cursor and limit. */
export function useRequestPages(path: string): RequestPages {
  const [heldPath, setHeldPath] = useState<string | null>(null);
  const held = heldPath === path;
  const asked = `${path}&limit=${PAGE_ROWS.toString()}`;
  const first = useAnswer<RequestPage>(held ? null : asked);
  const [older, setOlder] = useState<Older | null>(null);
  const [loading, setLoading] = useState(false);
  const [olderError, setOlderError] = useState<QueryError | null>(null);
  const asking = useRef<AbortController | null>(null);

  const present = held && older?.path === path ? older : null;
  const page = first.answer?.data;
  const rows = [...(page?.requests ?? []), ...(present?.rows ?? [])];
  const cursor = present === null ? (page?.next_cursor ?? null) : present.cursor;

  const loadOlder = (): void => {
    if (cursor === null || loading) return;
    const before = present?.rows ?? [];
    const controller = new AbortController();
    asking.current = controller;
    setHeldPath(path);
    setLoading(true);
    setOlderError(null);
    const ask = async (): Promise<void> => {
      try {
        const older = `${asked}&cursor=${encodeURIComponent(cursor)}`;
        const { data } = await askQuery<RequestPage>(older, controller.signal);
        setOlder({ path, rows: [...before, ...data.requests], cursor: data.next_cursor });
      } catch (error) {
        if (!controller.signal.aborted) setOlderError(asQueryError(error));
      }
      setLoading(false);
    };
    void ask();
  };
  const hold = useCallback(() => {
    setHeldPath(path);
  }, [path]);
  const release = useCallback(() => {
    asking.current?.abort();
    setHeldPath(null);
    setOlder(null);
    setOlderError(null);
  }, []);
  const full = rows.length >= ROWS_MAX;
  return { first, rows, more: cursor !== null, full, loading, olderError, loadOlder, held, hold, release };
}
