/*
 * Live traffic while the demonstration runs: asks the simulator what was acknowledged, and counts what is in the store. A
 * simulator that ends is restarted; what its earlier processes had acknowledged stays in the count.
 */
import type { Incident, IncidentName } from '../simulate-gateway/incidents.js';
import type { OnSpawn } from '../stack/process.js';
import { supervise, type Supervised, type SupervisorEvent } from '../stack/supervisor.js';
import { type Balance, balanceOf } from './balance.js';
import type { StoredCount, StoredCounter } from './count-stored.js';
import { waitStored } from './history.js';
import { type LogPositions, Settling } from './log-positions.js';
import { type LiveTraffic, NO_TOTALS, type SimulatorTotals, startLiveTraffic } from './simulator.js';

export type LiveOptions = {
  readonly collectorUrl: string;
  readonly token: string;
  readonly dir: string;
  readonly ratePerSecond: number;
  readonly counter: StoredCounter;
  readonly positions: LogPositions;
  readonly onSpawn: OnSpawn;
  readonly onEvent: (event: SupervisorEvent) => void;
};

export type LiveState = {
  readonly balance: Balance;
  /** Age of the newest row's event time, milliseconds; undefined before the first. */
  readonly freshMs: number | undefined;
  /** How long the oldest records on the way have waited to be stored, milliseconds. */
  readonly waitingMs: number;
  readonly incidents: readonly string[];
  readonly totals: SimulatorTotals;
};

export type Live = {
  state(): Promise<LiveState>;
  begin(incident: IncidentName, forS: number): Promise<Incident>;
  /** Ends the traffic, waits until all of it is stored and gives the final balance. */
  finish(signal: AbortSignal): Promise<{ balance: Balance; totals: SimulatorTotals; isComplete: boolean }>;
  /** Ends it without waiting for anything. */
  stop(): Promise<void>;
};

/** Event times lie at most this long before the clock: simulated clocks run up to 7 minutes late. */
const LATE_MS = 15 * 60_000;

/** Starts live traffic. Nothing of an earlier start may still be on its way to the store. */
export async function startLive(options: LiveOptions): Promise<Live> {
  const { counter, onEvent } = options;
  const sinceMs = Date.now() - LATE_MS;
  const before = await counter.count(sinceMs);
  const settling = new Settling(options.positions);
  let earlier = NO_TOTALS;
  let last = NO_TOTALS;
  let lives = 0;
  const supervised: Supervised<LiveTraffic> = await supervise({
    name: 'simulator',
    start: async () => {
      earlier = addTotals(earlier, last);
      last = NO_TOTALS;
      lives++;
      return startLiveTraffic(options);
    },
    onEvent,
  });
  const sinceBefore = (now: StoredCount): { rows: number; distinct: number } => ({
    rows: now.rows - before.rows,
    distinct: now.distinct - before.distinct,
  });
  return {
    state: async () => {
      const { totals, running } = await supervised.current().state();
      last = totals;
      const all = addTotals(earlier, last);
      const { settled, waitingSinceMs } = await settling.advance(all.acknowledged, Date.now());
      const stored = await counter.count(sinceMs);
      return {
        balance: balanceOf({ ...all, isComplete: lives <= 1 }, sinceBefore(stored), settled),
        freshMs: stored.rows > before.rows ? Math.max(0, Date.now() - stored.newestMs) : undefined,
        waitingMs: Date.now() - waitingSinceMs,
        incidents: running,
        totals: all,
      };
    },
    begin: (incident, forS) => supervised.current().begin(incident, forS),
    finish: async (signal) => {
      const current = supervised.current();
      const watching = supervised.stop();
      last = await current.finish();
      await watching;
      const totals = addTotals(earlier, last);
      const sent = { ...totals, isComplete: lives <= 1 };
      return {
        balance: await waitStored(sent, counter, sinceMs, signal, before),
        totals,
        isComplete: sent.isComplete,
      };
    },
    stop: () => supervised.stop(),
  };
}

function addTotals(a: SimulatorTotals, b: SimulatorTotals): SimulatorTotals {
  return {
    acknowledged: a.acknowledged + b.acknowledged,
    ambiguous: a.ambiguous + b.ambiguous,
    rejected: a.rejected + b.rejected,
    unsent: a.unsent + b.unsent,
    skipped: a.skipped + b.skipped,
  };
}
