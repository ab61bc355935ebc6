/*
 * The bound of processor time for tailing: nothing is read while this process has used more than its cores of the time
 * passed. So a backlog is read at an even rate. A quota of the kernel instead would stop the entire process, with its
 * connections to Kafka, for most of each tenth of a second. Pure except for the meter passed to it.
 */

/** Unused time is kept for so long: after an idle time, lines are read at once. */
const KEPT_MS = 1_000;
/** Longest wait before one read, whatever else uses the processor: so tailing always continues. */
const WAIT_MS_MAX = 1_000;

export type ProcessorMeter = {
  /** Monotonic. */
  readonly nowMs: () => number;
  /** Processor time of the process so far, all threads. */
  readonly usedMs: () => number;
};

export const OWN_PROCESSOR: ProcessorMeter = {
  nowMs: () => performance.now(),
  usedMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  },
};

export class ProcessorShare {
  readonly #cores: number;
  readonly #meter: ProcessorMeter;
  #seenMs: number;
  /** Processor time up to which reading may continue. */
  #allowedMs: number;

  /** @param cores how many at most, such as 0.5; Infinity for no bound */
  constructor(cores: number, meter: ProcessorMeter) {
    this.#cores = cores;
    this.#meter = meter;
    this.#seenMs = meter.nowMs();
    this.#allowedMs = meter.usedMs();
  }

  /** How long the next read must wait, milliseconds; 0 where it need not. */
  waitMs(): number {
    if (this.#cores === Number.POSITIVE_INFINITY) return 0;
    const nowMs = this.#meter.nowMs();
    const usedMs = this.#meter.usedMs();
    const allowedMs = this.#allowedMs + (nowMs - this.#seenMs) * this.#cores;
    this.#seenMs = nowMs;
    // Bounded by the unused time that is kept, and by the longest wait.
    const most = usedMs + KEPT_MS * this.#cores;
    const least = usedMs - WAIT_MS_MAX * this.#cores;
    this.#allowedMs = Math.min(most, Math.max(least, allowedMs));
    return Math.max(0, (usedMs - this.#allowedMs) / this.#cores);
  }
}
