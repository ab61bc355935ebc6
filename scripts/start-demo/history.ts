/*
 * Six days of simulated history, sent once through the real chain by a collector of its own, and balanced before live
 * traffic begins. A file beside the data saves that it was done, and for which days.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEMO_TERMS, HOUR_MS } from '@imscope/schemas/retention.js';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { type Balance, balanceOf, isEven, type Sent } from './balance.js';
import type { StoredCounter } from './count-stored.js';
import type { HistoryCollector, HistorySpan } from './history-collector.js';
import { type History, sendHistory, type SimulatorOptions } from './simulator.js';

/** An hour less than the lateness of `DEMO_TERMS`: for the time sending takes, and for clocks. */
const SPAN_MS = (DEMO_TERMS.lateHoursMax - 1) * HOUR_MS;
const STORED_WITHIN_MS = 60_000;
const POLL_MS = 250;

const Marker = Type.Object({
  state: Type.Union([Type.Literal('begun'), Type.Literal('sent')]),
  /** Where its collector left off; earlier versions sent a history through the live collector and noted none. */
  fromMs: Type.Optional(Type.Integer()),
  toMs: Type.Optional(Type.Integer()),
});

export type HistoryState = {
  readonly state: 'begun' | 'sent';
  readonly span: HistorySpan | undefined;
};

/** What an earlier start did: `sent`, `begun` where it was interrupted, or undefined where it did not begin. */
export function historyState(dataDir: string): HistoryState | undefined {
  let text: string;
  try {
    text = readFileSync(markerFile(dataDir), 'utf8');
  } catch {
    return undefined;
  }
  const marker: unknown = JSON.parse(text);
  if (!Value.Check(Marker, marker)) return undefined;
  const { state, fromMs, toMs } = marker;
  return { state, span: fromMs === undefined || toMs === undefined ? undefined : { fromMs, toMs } };
}

export type SentHistory = History & {
  readonly balance: Balance;
  /** Until the last record was acknowledged, and until the last row was there; milliseconds. */
  readonly sentInMs: number;
  readonly storedInMs: number;
};

/** Starts the collector of a span of event times. */
export type StartHistoryCollector = (span: HistorySpan) => Promise<HistoryCollector>;

/** Sends the history through a collector of its own and waits until it is stored. */
export async function sendHistoryOnce(
  options: Omit<SimulatorOptions, 'collectorUrl'> & {
    readonly dataDir: string;
    readonly startCollector: StartHistoryCollector;
    readonly records: number;
    readonly counter: StoredCounter;
    readonly onProgress: (text: string) => void;
    readonly signal: AbortSignal;
  },
): Promise<SentHistory> {
  const { dataDir, records, counter, startCollector, onProgress, signal } = options;
  const startedAt = Date.now();
  const span = { fromMs: startedAt - SPAN_MS, toMs: startedAt };
  writeFileSync(markerFile(dataDir), JSON.stringify({ state: 'begun', ...span }));
  const collector = await startCollector(span);
  const history = await sendHistory({
    ...options,
    collectorUrl: collector.url,
    span,
    onProgress: (sent) =>
      onProgress(`${Math.floor((sent / records) * 100)} % of ${records.toLocaleString('en-US')} records`),
  });
  const sentInMs = Date.now() - startedAt;
  onProgress('waiting for the last row');
  // Its final account says that nothing more comes of these days.
  await collector.stop();
  const balance = await waitStored({ ...history.totals, isComplete: true }, counter, span.fromMs, signal);
  if (isEven(balance)) writeFileSync(markerFile(dataDir), JSON.stringify({ state: 'sent', ...span }));
  return { ...history, balance, sentInMs, storedInMs: Date.now() - startedAt };
}

/** Ends what a history that was cut off left in the spool of its collector, and its accounts. */
export async function endCutOffHistory(
  state: HistoryState,
  startCollector: StartHistoryCollector,
): Promise<void> {
  if (state.state !== 'begun' || state.span === undefined) return;
  const collector = await startCollector(state.span);
  await collector.stop();
}

/**
 * Counts until everything acknowledged is there, or nothing more has come for a minute.
 * @param before rows that were there before, to be left out
 */
export async function waitStored(
  sent: Sent,
  counter: StoredCounter,
  sinceMs: number,
  signal: AbortSignal,
  before: { readonly rows: number; readonly distinct: number } = { rows: 0, distinct: 0 },
): Promise<Balance> {
  let deadline = Date.now() + STORED_WITHIN_MS;
  let most = -1;
  for (;;) {
    const { rows, distinct } = await counter.count(sinceMs);
    const balance = balanceOf(sent, { rows: rows - before.rows, distinct: distinct - before.distinct });
    if (balance.lost === 0 || Date.now() > deadline || signal.aborted) return balance;
    if (distinct > most) {
      most = distinct;
      deadline = Date.now() + STORED_WITHIN_MS;
    }
    await sleep(POLL_MS);
  }
}

function markerFile(dataDir: string): string {
  return join(dataDir, 'history.json');
}
