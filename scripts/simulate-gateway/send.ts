/*
 * Owns the two ways to send traffic: history as fast as the collector accepts it (closed loop), live traffic at a fixed
 * rate that does not wait (open loop). Both keep at most `inFlightMax` requests in flight. At that bound history waits,
 * and live traffic skips records and counts them. The truth counts everything.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { CollectorClient, Delivery } from './collector-client.js';
import { BATCH_RECORDS, type Traffic } from './generate.js';
import { IncidentSchedule, type Incident } from './incidents.js';
import type { Batch, BodyFormat } from './record-writer.js';
import type { Truth } from './truth.js';

export interface Progress {
  readonly phase: 'history' | 'live';
  /** Records sent so far, whatever their outcome. */
  readonly sent: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly ambiguous: number;
  readonly unsent: number;
  readonly skipped: number;
  /** Records acknowledged in the last second. */
  readonly perSecond: number;
  /** Records that will be sent by the end; null if the run has no planned end. */
  readonly planned: number | null;
  readonly inFlight: number;
  /** Names of the incidents that run now. */
  readonly incidents: readonly string[];
}

export interface SendOptions {
  readonly traffic: Traffic;
  readonly client: CollectorClient;
  readonly truth: Truth;
  readonly schedule?: IncidentSchedule;
  /** Records a request at most; 2000 of history and 500 of live traffic unless given. */
  readonly batchRecords?: number;
  readonly format?: BodyFormat;
  /** Requests in flight at once. */
  readonly inFlightMax?: number;
  /** When aborted, no new requests are sent and those in flight are finished. */
  readonly stopping?: AbortSignal;
  /** Called once a second and at the end. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface HistoryOptions extends SendOptions {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
}

export interface LiveOptions extends SendOptions {
  /** Records a second, before an incident that adds traffic. */
  readonly ratePerSecond: number;
  /** Ends after exactly this many records. */
  readonly count?: number;
  /** Ends after this time, milliseconds. */
  readonly forMs?: number;
}

/** Default of requests in flight at once. */
export const IN_FLIGHT_MAX = 16;
/** Records a request of history: larger requests cost both sides a quarter less, and their delay does not matter. */
export const HISTORY_BATCH_RECORDS = 2000;
/** A live request is sent when it is full, or when its first record has waited this long. */
const LIVE_FLUSH_MS = 200;
const LIVE_TICK_MS_MIN = 10;
/** After a longer pause of the machine the remaining records are skipped and counted, not sent late. */
const LIVE_CATCH_UP_MS_MAX = 10_000;
const PROGRESS_MS = 1000;

/** The collector refused in a way that more requests would not change, such as a wrong token. */
export class SendingRefused extends Error {}

/** Sends `count` records of a range of event time; resolves when the truth has all of them. Throws `SendingRefused`. */
export async function sendHistory(options: HistoryOptions): Promise<void> {
  const { traffic, fromMs, toMs, count, batchRecords = HISTORY_BATCH_RECORDS, format = 'ndjson' } = options;
  const run = new Run('history', count, options);
  const incidents = run.schedule.within(fromMs, toMs);
  try {
    for (const batch of traffic.between({ fromMs, toMs, count, incidents, batchRecords, format })) {
      if (run.stopped()) break;
      await run.room();
      run.launch(batch);
    }
  } finally {
    await run.finish();
  }
  run.throwIfRefused();
}

/** Sends live traffic until stopped, or until `count` or `forMs` is reached. Throws `SendingRefused`. */
export async function sendLive(options: LiveOptions): Promise<void> {
  const { traffic, ratePerSecond, count = Infinity, forMs = Infinity } = options;
  const { batchRecords = BATCH_RECORDS, format = 'ndjson' } = options;
  const run = new Run('live', Number.isFinite(count) ? count : null, options);
  const tickMs = Math.max(LIVE_TICK_MS_MIN, Math.min(LIVE_FLUSH_MS, (batchRecords / ratePerSecond) * 1000));
  const startMs = Date.now();
  let fromMs = startMs;
  let due = 0;
  try {
    while (!run.stopped() && run.sent < count) {
      const nowMs = Date.now();
      const toMs = Math.min(nowMs, startMs + forMs);
      const missedMs = toMs - fromMs - LIVE_CATCH_UP_MS_MAX;
      if (missedMs > 0) {
        options.truth.skip(Math.round((ratePerSecond * missedMs) / 1000));
        fromMs += missedMs;
      }
      if (toMs > fromMs) {
        const incidents = run.schedule.within(fromMs, toMs);
        due += (ratePerSecond * traffic.strength(toMs, incidents) * (toMs - fromMs)) / 1000;
        const records = Math.min(Math.floor(due), count - run.sent);
        due -= records;
        const range = { fromMs, toMs, count: records, incidents, batchRecords, format };
        for (const batch of records > 0 ? traffic.between(range) : []) run.launchOrSkip(batch);
        fromMs = toMs;
      }
      if (nowMs >= startMs + forMs) break;
      await run.pause(Math.min(tickMs, startMs + forMs - nowMs));
    }
  } finally {
    await run.finish();
  }
  run.throwIfRefused();
}

/** One phase: requests in flight, records sent, reports of progress. */
class Run {
  readonly schedule: IncidentSchedule;
  sent = 0;
  private readonly onItsWay = new Set<Promise<void>>();
  private readonly inFlightMax: number;
  private readonly stop = new AbortController();
  private readonly onStopping = () => this.stop.abort();
  private readonly timer: NodeJS.Timeout;
  private acknowledgedBefore: number;
  private toldAtMs = performance.now();
  private refusal: string | undefined;
  private failure: unknown;

  constructor(
    private readonly phase: Progress['phase'],
    private readonly planned: number | null,
    private readonly options: SendOptions,
  ) {
    this.schedule = options.schedule ?? new IncidentSchedule();
    this.inFlightMax = options.inFlightMax ?? IN_FLIGHT_MAX;
    this.acknowledgedBefore = options.truth.totals().acknowledged;
    this.timer = setInterval(() => this.tell(), PROGRESS_MS);
    options.stopping?.addEventListener('abort', this.onStopping);
    if (options.stopping?.aborted === true) this.stop.abort();
  }

  stopped(): boolean {
    return this.stop.signal.aborted;
  }

  /** Waits until another request may be sent. */
  async room(): Promise<void> {
    while (this.onItsWay.size >= this.inFlightMax) await Promise.race(this.onItsWay);
  }

  launchOrSkip(batch: Batch): void {
    if (this.onItsWay.size >= this.inFlightMax) this.options.truth.skip(batch.count);
    else this.launch(batch);
  }

  launch(batch: Batch): void {
    if (this.stopped()) return;
    this.sent += batch.count;
    const sending = this.deliver(batch).finally(() => this.onItsWay.delete(sending));
    this.onItsWay.add(sending);
  }

  private async deliver(batch: Batch): Promise<void> {
    let delivery: Delivery;
    try {
      delivery = await this.options.client.deliver(batch, this.stop.signal);
    } catch (error) {
      this.failure ??= error;
      this.stop.abort();
      return;
    }
    this.options.truth.count(batch, delivery);
    if (delivery.kind === 'refused' || (delivery.kind === 'unsent' && !this.stopped())) {
      this.refusal ??= delivery.reason;
      this.stop.abort();
    }
  }

  async pause(ms: number): Promise<void> {
    try {
      await delay(ms, undefined, { signal: this.stop.signal });
    } catch (error) {
      if (!this.stopped()) throw error;
    }
  }

  /** Waits for requests in flight, and reports the last progress. */
  async finish(): Promise<void> {
    await Promise.all(this.onItsWay);
    clearInterval(this.timer);
    this.options.stopping?.removeEventListener('abort', this.onStopping);
    this.tell();
  }

  throwIfRefused(): void {
    if (this.failure !== undefined) throw new Error('sending failed', { cause: this.failure });
    if (this.refusal !== undefined)
      throw new SendingRefused(`the collector does not accept records: ${this.refusal}`);
  }

  private tell(): void {
    const { truth, onProgress } = this.options;
    if (onProgress === undefined) return;
    const { acknowledged, rejected, ambiguous, unsent, skipped } = truth.totals();
    const nowMs = performance.now();
    const perSecond = ((acknowledged - this.acknowledgedBefore) * 1000) / Math.max(1, nowMs - this.toldAtMs);
    this.acknowledgedBefore = acknowledged;
    this.toldAtMs = nowMs;
    onProgress({
      phase: this.phase,
      sent: this.sent,
      accepted: acknowledged,
      rejected,
      ambiguous,
      unsent,
      skipped,
      perSecond: Math.round(perSecond),
      planned: this.planned,
      inFlight: this.onItsWay.size,
      incidents: this.schedule.at(Date.now()).map(({ name }: Incident) => name),
    });
  }
}
