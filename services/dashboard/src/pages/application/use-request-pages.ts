/*
 * The list of requests, newest first: a first page that is refreshed with the rest of the page, and older pages by
 * cursor. While somebody reads older pages or the details of a request, the list is held still.
 */
import type { AskError } from '@imscope/schemas/query-api/ask.js';
import type { ParametersOf } from '@imscope/schemas/query-api/questions.js';
import type { RequestPage, RequestRow } from '@imscope/schemas/query-api/requests.js';
import { hashKey, skipToken, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ask, asAskError } from '../../api/ask-service.js';
import { failAsAskError } from '../../api/server-state.js';
import { type StateOf, useAnswer } from '../../api/use-answer.js';

const PAGE_ROWS = 50;
/** The page does not keep more rows than this: it then asks for narrower filters. */
export const ROWS_MAX = 1000;

export type RequestPages = {
  readonly first: StateOf<'requests'>;
  readonly rows: readonly RequestRow[];
  /** Older rows exist beyond these. */
  readonly more: boolean;
  readonly full: boolean;
  readonly loading: boolean;
  readonly olderError: AskError | null;
  readonly loadOlder: () => void;
  /** The list does not change until it is released. */
  readonly held: boolean;
  readonly hold: () => void;
  readonly release: () => void;
};

/** @param parameters with all filters, without cursor and limit; null: nothing is asked */
export function useRequestPages(parameters: ParametersOf<'requests'> | null): RequestPages {
  const state = useQueryClient();
  const asked = parameters === null ? null : { ...parameters, limit: PAGE_ROWS };
  const askedBy = hashKey([asked]);
  const [heldFor, setHeldFor] = useState<string | null>(null);
  const held = heldFor === askedBy;
  const first = useAnswer('requests', asked, { paused: held });
  const firstPage = first.answer?.data;
  const older = useOlderPages(asked, firstPage?.next_cursor ?? null);
  const pages = held ? older.pages : [];
  const rows = [...(firstPage?.requests ?? []), ...pages.flatMap(({ requests }) => requests)];
  const lastPage = pages.at(-1) ?? firstPage;
  const hold = (): void => {
    // A refresh under way must not move the rows.
    void state.cancelQueries({ queryKey: ['requests', asked], exact: true });
    setHeldFor(askedBy);
  };
  return {
    first,
    rows,
    more: (lastPage?.next_cursor ?? null) !== null,
    full: rows.length >= ROWS_MAX,
    loading: older.loading,
    olderError: older.error,
    loadOlder: () => {
      hold();
      older.load();
    },
    held,
    hold,
    release: () => {
      older.forget();
      setHeldFor(null);
      first.retry();
    },
  };
}

type OlderPages = {
  readonly pages: readonly RequestPage[];
  readonly loading: boolean;
  readonly error: AskError | null;
  readonly load: () => void;
  readonly forget: () => void;
};

/** Pages on demand: never refreshed, and not retried but by the reader. */
function useOlderPages(parameters: ParametersOf<'requests'> | null, cursor: string | null): OlderPages {
  const state = useQueryClient();
  const queryKey = ['requests', parameters, 'older', cursor] as const;
  const { data, error, isFetching, fetchNextPage } = useInfiniteQuery({
    queryKey,
    queryFn:
      parameters === null
        ? skipToken
        : ({ pageParam, signal }) =>
            failAsAskError(ask('requests', { ...parameters, cursor: pageParam }, signal)),
    initialPageParam: cursor ?? '',
    getNextPageParam: (last) => last.data.next_cursor,
    enabled: false,
    retry: false,
  });
  return {
    pages: data?.pages.map((page) => page.data) ?? [],
    loading: isFetching,
    error: isFetching || error === null ? null : asAskError(error),
    load: () => {
      if (cursor !== null && !isFetching) void fetchNextPage();
    },
    forget: () => {
      void state.resetQueries({ queryKey, exact: true });
    },
  };
}
