/*
 * The processor's share that tailing keeps within: nothing is read while this process has used more than its part of the
 * time that went by. So a backlog is read at an even pace, where a quota of the kernel stops the whole process, answers
 * to Kafka and all, for most of each tenth of a second. Pure but for the clock and the meter it is given.
 */

/** What was not used is kept for so long: after calm, lines are read at once. */
const KEPT_MS = 1_000;
/** One stretch waits no longer, whatever else of this process takes the processor: so lines always go on. */
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
  /** Processor time up to which reading may go on. */
  #allowedMs: number;

  /** @param cores how many at most, such as 0.5; Infinity for all there are */
  constructor(cores: number, meter: ProcessorMeter) {
    this.#cores = cores;
    this.#meter = meter;
    this.#seenMs = meter.nowMs();
    this.#allowedMs = meter.usedMs();
  }

  /** How long the next stretch has to wait, milliseconds; 0 where it need not. */
  waitMs(): number {
    if (this.#cores === Number.POSITIVE_INFINITY) return 0;
    const nowMs = this.#meter.nowMs();
    const usedMs = this.#meter.usedMs();
    const allowedMs = this.#allowedMs + (nowMs - this.#seenMs) * this.#cores;
    this.#seenMs = nowMs;
    // Within what is kept for later, and what is owed at most.
    const most = usedMs + KEPT_MS * this.#cores;
    const least = usedMs - WAIT_MS_MAX * this.#cores;
    this.#allowedMs = Math.min(most, Math.max(least, allowedMs));
    return Math.max(0, (usedMs - this.#allowedMs) / this.#cores);
  }
}
