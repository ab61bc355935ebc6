/*
 * Continuous reconciliation by one member of the group: often over what arrived since the last pass without a difference,
 * now and then over everything. Differences are in gauges until a pass over the same data no longer finds them; only new
 * ones are logged. A pass that fails is logged and repeated; it never affects the storing of blocks.
 */
import type { Logger } from '@imscope/runtime/logger.js';
import { checkConfirmed } from './confirmed-check.js';
import { type Check, CHECKS, type Difference, keyOf } from './difference.js';
import type { ReconcileMetrics } from './reconcile-metrics.js';
import { HOUR_MS, LOOK_BACK_MS, MINUTE_MS, SETTLE_MS } from './pass.js';
import { type Ask } from '../store/store-ask.js';

/** Rows are there before the ledger says so, and their minute is settled some three minutes later. */
const ROWS_OVERLAP_MS = 5 * MINUTE_MS;
/** A minute or two of one thread of the store. */
const ROWS_MAX = 100_000_000;
/** A pass begins this long before the last one that found nothing: what was not settled then is by now. */
const OVERLAP_MS = SETTLE_MS + 5 * MINUTE_MS;
/** A pass between full ones reads at most an hour of blocks. */
const RECENT_MS_MAX = HOUR_MS;
const FULL_EVERY_MS = HOUR_MS;
/** Lines logged by one check. */
const LOGGED_MAX = 20;

export type ReconcilerContext = {
  readonly ask: Ask;
  readonly topicPrefix: string;
  /** At any time one member of the group is: it checks for all. */
  readonly isChecker: () => boolean;
  readonly metrics: ReconcileMetrics;
  readonly logger: Logger;
  readonly now: () => number;
  /** Rejects where it is given up. */
  readonly wait: (ms: number) => Promise<void>;
};

export class Reconciler {
  readonly #context: ReconcilerContext;
  #fullMs = Number.NEGATIVE_INFINITY;
  #cleanMs = Number.NEGATIVE_INFINITY;
  /** Found by the last full pass and by the last recent one. */
  #full: readonly Difference[] = [];
  #recent: readonly Difference[] = [];
  #reported = new Set<string>();

  constructor(context: ReconcilerContext) {
    this.#context = context;
  }

  /** One pass, where this member is the checker. Never rejects. */
  async check(): Promise<void> {
    const { isChecker, logger, now } = this.#context;
    if (!isChecker()) {
      this.#forget();
      return;
    }
    try {
      await this.#pass(now());
    } catch (error) {
      if (!isChecker()) return;
      logger.warn({ err: error }, 'a reconcile pass failed, trying again');
    }
  }

  async #pass(startMs: number): Promise<void> {
    const { ask, topicPrefix, isChecker, metrics, now, wait } = this.#context;
    const full = startMs - this.#fullMs >= FULL_EVERY_MS;
    const fromMs = full
      ? startMs - LOOK_BACK_MS
      : Math.max(this.#cleanMs - OVERLAP_MS, startMs - RECENT_MS_MAX);
    const rows = { fromMs: full ? fromMs : Math.max(fromMs, this.#cleanMs - ROWS_OVERLAP_MS), max: ROWS_MAX };
    const report = await checkConfirmed(
      { ask, topicPrefix, fromMs, rows, settleMs: SETTLE_MS },
      { now, wait },
    );
    // Another member reconciles now, and reports.
    if (!isChecker()) return;
    if (full) {
      this.#fullMs = startMs;
      this.#full = report.differences;
      this.#recent = [];
    } else this.#recent = report.differences;
    if (report.differences.length === 0) this.#cleanMs = startMs;
    this.#report();
    for (const kind of ['missing', 'unaccounted'] as const) {
      metrics.retiredLoss.set(
        { kind },
        report.retired.reduce((sum, loss) => sum + loss[kind], 0),
      );
    }
    metrics.reconcileCheckedAt.set(now() / 1_000);
  }

  #report(): void {
    const { metrics, logger } = this.#context;
    const found = new Map([...this.#full, ...this.#recent].map((one) => [keyOf(one), one]));
    for (const check of CHECKS) metrics.reconcileDifferences.set({ check }, countOf(found.values(), check));
    const news = [...found].filter(([key]) => !this.#reported.has(key));
    for (const [, difference] of news.slice(0, LOGGED_MAX)) {
      logger.error(difference, `ledger, accounts and rows differ: ${difference.words}`);
    }
    if (news.length > LOGGED_MAX) {
      logger.error(
        { differences: news.length },
        'ledger, accounts and rows differ in more places: imscope ledger check',
      );
    }
    if (found.size === 0 && this.#reported.size > 0) logger.info('ledger, accounts and rows agree again');
    this.#reported = new Set(found.keys());
  }

  /** The next checker begins with a full pass, and so does this one if it becomes the checker again. */
  #forget(): void {
    const { metrics } = this.#context;
    this.#fullMs = Number.NEGATIVE_INFINITY;
    this.#full = [];
    this.#recent = [];
    this.#reported.clear();
    metrics.reconcileDifferences.reset();
    metrics.reconcileCheckedAt.reset();
    metrics.retiredLoss.reset();
  }
}

function countOf(differences: Iterable<Difference>, check: Check): number {
  let count = 0;
  for (const difference of differences) if (difference.check === check) count += 1;
  return count;
}
