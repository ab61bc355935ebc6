/*
 * Six days of simulated history, sent once through the real chain and balanced before anything else begins. A file
 * beside the data remembers that it was done.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { type Balance, balanceOf, isEven, type Sent } from './balance.js';
import type { StoredCounter } from './count-stored.js';
import { type History, sendHistory, type SimulatorOptions } from './simulator.js';

const DAY_MS = 86_400_000;
/** Six days, and an hour for clocks and for the time sending takes. */
const SPAN_MS = 6 * DAY_MS + 3_600_000;
const STORED_WITHIN_MS = 60_000;
const POLL_MS = 250;

const Marker = Type.Object({ state: Type.Union([Type.Literal('begun'), Type.Literal('sent')]) });

/** What a start before did: `sent`, `begun` where it was cut off, or undefined where it was never tried. */
export function historyState(dataDir: string): 'begun' | 'sent' | undefined {
  let text: string;
  try {
    text = readFileSync(markerFile(dataDir), 'utf8');
  } catch {
    return undefined;
  }
  const marker: unknown = JSON.parse(text);
  return Value.Check(Marker, marker) ? marker.state : undefined;
}

export type SentHistory = History & {
  readonly balance: Balance;
  /** Until the last record was acknowledged, and until the last row was there; milliseconds. */
  readonly sentInMs: number;
  readonly storedInMs: number;
};

/** Sends the history and waits until it is stored. */
export async function sendHistoryOnce(
  options: SimulatorOptions & {
    readonly dataDir: string;
    readonly records: number;
    readonly counter: StoredCounter;
    readonly onProgress: (words: string) => void;
    readonly signal: AbortSignal;
  },
): Promise<SentHistory> {
  const { dataDir, records, counter, onProgress, signal } = options;
  writeFileSync(markerFile(dataDir), JSON.stringify({ state: 'begun' }));
  const startedAt = Date.now();
  const history = await sendHistory({
    ...options,
    onProgress: (sent) =>
      onProgress(`${Math.floor((sent / records) * 100)} % of ${records.toLocaleString('en-US')} records`),
  });
  const sentInMs = Date.now() - startedAt;
  onProgress('waiting for the last row');
  const balance = await waitStored({ ...history.totals, told: true }, counter, startedAt - SPAN_MS, signal);
  if (isEven(balance)) writeFileSync(markerFile(dataDir), JSON.stringify({ state: 'sent' }));
  return { ...history, balance, sentInMs, storedInMs: Date.now() - startedAt };
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
