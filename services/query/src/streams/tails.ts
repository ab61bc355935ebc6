/*
 * Live tails: requests as they are stored, with filters, as server-sent events. Each stored row is shown once at most. What
 * exceeds the rate of a tail, or the buffer of a slow reader, is not shown, and an event says how much it was.
 */
import type { ServerResponse } from 'node:http';
import type { RequestSearchParameters } from '@imscope/schemas/query-api/request-search-parameters.js';
import type { TailEndReason } from '@imscope/schemas/query-api/request-streams.js';
import { Type } from 'typebox';
import type { PersonalQuery } from '../figures/personal-filter.js';
import { REQUEST_COLUMNS, REQUEST_COLUMNS_SQL, requestRow } from '../figures/request-row.js';
import { searchOf } from '../figures/request-search.js';
import type { Subject } from '../figures/subject.js';
import { KIB } from '../store/answer-bounds.js';
import { type AskWithin, defineStoreQuery, type ResultBounds } from '../store/ask-store.js';
import { askFor } from '../store/store-caller.js';
import type { BlockFeed, StoredBlocks } from './block-feed.js';
import type { CallerSlots } from './caller-slots.js';
import { type EventSink, openEventSink } from './event-sink.js';

export type TailOptions = {
  readonly feed: BlockFeed;
  readonly within: AskWithin['within'];
  readonly slots: CallerSlots;
  readonly onDropped: (reason: 'rate' | 'reader', requests: number) => void;
  readonly now: () => number;
};

export type TailRequest = {
  /** Of the token. */
  readonly caller: string;
  readonly query: RequestSearchParameters & PersonalQuery;
  /** What the caller may read now; undefined where it may no longer. */
  readonly subject: () => Subject | undefined;
};

export type Tails = {
  /** Answers with events until the caller leaves. Throws `HttpError` before the first byte. */
  open(request: TailRequest, response: ServerResponse): Promise<void>;
  /** Ends all that are open. */
  endAll(): void;
};

/** Requests of one tail, shown at once: after each poll of the ledger, which are a second apart. */
export const REQUESTS_MAX = 200;
/** Requests of an hour ago are no news; late ones that are older are in the search. */
const EVENTS_WITHIN_MS = 3_600_000;
/** Clocks of gateways may be ahead. */
const EVENTS_AHEAD_MS = 300_000;
/** Blocks that wait for a query of this tail. Beyond it the oldest are left out, with a `gap`. */
const WAITING_BLOCKS_MAX = 2_000;
const TICK_MS = 1_000;
const ALIVE_TICKS = 10;
export const TAIL_MS_MAX = 3_600_000;

const BOUNDS: ResultBounds = { rowsMax: REQUESTS_MAX, bytesMax: REQUESTS_MAX * 32 * KIB };
const QUERY = defineStoreQuery('tail', Type.Object({ ...REQUEST_COLUMNS, matching: Type.Number() }));
const BLOCKS_SQL = 'block_id IN arrayMap(id -> toUInt64(id), {block_ids:Array(String)})';

const rowsSql = (search: string): string => `
SELECT
  ${REQUEST_COLUMNS_SQL},
  (SELECT count() ${search}) AS matching
${search}
ORDER BY time DESC, block_id DESC, block_row DESC
LIMIT ${REQUESTS_MAX}`;

export function createTails(options: TailOptions): Tails {
  const open = new Set<Tail>();
  return {
    async open(request, response) {
      const release = options.slots.take(request.caller);
      const tail = new Tail(request, options);
      response.once('close', () => {
        tail.close();
        open.delete(tail);
        release();
      });
      if (response.destroyed) return release();
      try {
        await tail.begin(response);
        open.add(tail);
      } catch (error) {
        release();
        throw error;
      }
    },
    endAll() {
      for (const tail of open) tail.end('stopping');
    },
  };
}

class Tail {
  readonly #request: TailRequest;
  readonly #options: TailOptions;
  readonly #left = new AbortController();
  #sink: EventSink | undefined;
  #stopListening: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  #waiting: StoredBlocks | undefined;
  #reading = false;
  #dropped = { rate: 0, reader: 0 };

  constructor(request: TailRequest, options: TailOptions) {
    this.#request = request;
    this.#options = options;
  }

  async begin(response: ServerResponse): Promise<void> {
    const stop = await this.#options.feed.listen({
      onBlocks: (blocks) => this.#add(blocks),
      onFailure: () => this.#gap('the store did not answer'),
    });
    // The caller may have gone meanwhile.
    if (this.#left.signal.aborted || response.destroyed) return stop();
    this.#stopListening = stop;
    this.#sink = openEventSink(response);
    this.#sink.send('open', { name: this.#request.caller });
    const startMs = this.#options.now();
    let ticks = 0;
    this.#timer = setInterval(() => {
      if (this.#request.subject() === undefined) return this.end('token');
      if (this.#options.now() - startMs > TAIL_MS_MAX) return this.end('time');
      this.#reportDropped();
      ticks += 1;
      if (ticks % ALIVE_TICKS === 0) this.#sink?.sendAlive();
    }, TICK_MS);
  }

  end(reason: TailEndReason): void {
    this.close();
    this.#sink?.end({ reason });
  }

  close(): void {
    this.#left.abort();
    clearInterval(this.#timer);
    this.#stopListening();
  }

  #add(blocks: StoredBlocks): void {
    const { blockIds = [], events = blocks.events } = this.#waiting ?? {};
    const ids = [...blockIds, ...blocks.blockIds];
    if (ids.length > WAITING_BLOCKS_MAX) this.#gap(`${ids.length - WAITING_BLOCKS_MAX} blocks were left out`);
    this.#waiting = {
      blockIds: ids.slice(-WAITING_BLOCKS_MAX),
      events: {
        fromMs: Math.min(events.fromMs, blocks.events.fromMs),
        toMs: Math.max(events.toMs, blocks.events.toMs),
      },
    };
    // No second query of a tail at a time: what arrives meanwhile comes with the next.
    if (!this.#reading) void askFor(this.#request.caller, () => this.#readWaiting());
  }

  async #readWaiting(): Promise<void> {
    this.#reading = true;
    try {
      while (this.#waiting !== undefined && !this.#left.signal.aborted) {
        const blocks = this.#waiting;
        this.#waiting = undefined;
        await this.#read(blocks);
      }
    } finally {
      this.#reading = false;
    }
  }

  async #read({ blockIds, events }: StoredBlocks): Promise<void> {
    const subject = this.#request.subject();
    if (subject === undefined) return;
    const nowMs = this.#options.now();
    const window = {
      fromMs: Math.max(events.fromMs, nowMs - EVENTS_WITHIN_MS),
      toMs: Math.min(events.toMs, nowMs + EVENTS_AHEAD_MS),
    };
    if (window.fromMs >= window.toMs) return;
    const { sql, params } = searchOf(subject, window, this.#request.query, [BLOCKS_SQL]);
    const ask = this.#options.within(BOUNDS);
    try {
      const rows = await ask(QUERY, rowsSql(sql), { ...params, block_ids: [...blockIds] }, this.#left.signal);
      this.#drop('rate', (rows[0]?.matching ?? 0) - rows.length);
      // Oldest first, as they happened.
      for (const row of rows.toReversed()) {
        const shown = { sdk_app_id: row.sdk_app_id, ...requestRow(row) };
        if (this.#sink?.send('request', shown) === false) this.#drop('reader', 1);
      }
    } catch {
      // The failure is logged and counted where the store is asked.
      if (!this.#left.signal.aborted) this.#gap('the store did not answer');
    }
  }

  #drop(reason: 'rate' | 'reader', requests: number): void {
    if (requests === 0) return;
    this.#dropped[reason] += requests;
    this.#options.onDropped(reason, requests);
  }

  #reportDropped(): void {
    const { rate, reader } = this.#dropped;
    if (rate + reader === 0) return;
    if (this.#sink?.send('dropped', { rate, reader }) === true) this.#dropped = { rate: 0, reader: 0 };
  }

  #gap(why: string): void {
    this.#sink?.send('gap', { message: `${why}: requests that were stored meanwhile are not shown` });
  }
}
