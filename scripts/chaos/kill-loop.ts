/* Carries out the strokes of a plan one after another; a zombie stays stopped during the next strokes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AggregatorName, CollectorName } from './chaos-pipeline.js';
import type { InsertFates, InsertWatch } from './insert-watch.js';
import type { Stroke, StrokeKind, TargetName } from './kill-plan.js';
import type { KillTarget } from './kill-targets.js';
import type { Recoveries } from './recoveries.js';
import type { TrackedSender } from './tracked-sender.js';

export type Targets = Readonly<Record<TargetName, KillTarget>>;

/** How long the loop runs: a time, or a number of strokes. */
export type Until = { readonly ms: number } | { readonly strokes: number };

export type LoopCounts = {
  readonly kills: Readonly<Record<Exclude<StrokeKind, 'zombie'>, number>>;
  readonly killsWhileStarting: number;
  readonly zombies: number;
  /** Processes that ended without a kill. */
  readonly ownDeaths: number;
};

export type LoopParts = {
  readonly targets: Targets;
  readonly senders: Readonly<Record<CollectorName, TrackedSender>>;
  readonly recoveries: Recoveries;
  readonly watches: Readonly<Record<AggregatorName, InsertWatch>>;
  readonly fates: InsertFates;
  readonly say: (text: string) => void;
};

/** A partition may wait for its next owner twice in a row before it sees an insert. */
const INSERT_MS_MAX = 45_000;
const RECOVERED_MS_MAX = 120_000;

export class KillLoop {
  readonly #parts: LoopParts;
  readonly #kills = { store: 0, collector: 0, broker: 0, aggregator: 0 };
  readonly #startMs = performance.now();
  #killsWhileStarting = 0;
  #zombies = 0;
  #zombie: Promise<void> = Promise.resolve();

  constructor(parts: LoopParts) {
    this.#parts = parts;
  }

  get counts(): LoopCounts {
    const ownDeaths = Object.values(this.#parts.targets).reduce((sum, target) => sum + target.ownDeaths, 0);
    const [kills, killsWhileStarting, zombies] = [this.#kills, this.#killsWhileStarting, this.#zombies];
    return { kills, killsWhileStarting, zombies, ownDeaths };
  }

  /** Resolves when the last zombie has been continued, too. */
  async run(plan: Iterable<Stroke>, until: Until): Promise<void> {
    let strokes = 0;
    try {
      for (const stroke of plan) {
        const over = 'ms' in until ? performance.now() - this.#startMs > until.ms : strokes >= until.strokes;
        if (over) break;
        await sleep(stroke.pauseMs);
        await this.#strike(stroke);
        strokes += 1;
      }
    } finally {
      await this.#zombie;
    }
  }

  /** Everything runs, and data that came after the last kill is stored. */
  async untilRecovered(): Promise<void> {
    const { targets, recoveries } = this.#parts;
    for (const target of Object.values(targets)) await target.untilReady();
    const deadline = performance.now() + RECOVERED_MS_MAX;
    while (recoveries.pending > 0) {
      if (performance.now() > deadline)
        throw new Error(`not recovered within ${RECOVERED_MS_MAX / 1_000} s after the last kill`);
      await sleep(50);
    }
  }

  async #strike(stroke: Stroke): Promise<void> {
    if (stroke.kind === 'zombie') await this.#zombie;
    const name = this.#awake(stroke.target);
    const target = this.#parts.targets[name];
    if (!stroke.whileStarting) await target.untilReady();
    const inInsert = target.isReady && (await this.#insertOf(name, stroke.intoInsertMs));
    const starting = target.isReady ? '' : ', which was starting';
    if (stroke.kind === 'zombie') {
      this.#zombies += 1;
      this.#zombie = target.stopFor(stroke.stoppedMs).then(() => this.#say(`${name} continues`));
      this.#say(
        `${name} stopped for ${(stroke.stoppedMs / 1_000).toFixed(1)} s${inInsert ? ' in an insert' : ''}`,
      );
      return;
    }
    if (!target.isReady) this.#killsWhileStarting += 1;
    this.#kills[stroke.kind] += 1;
    this.#parts.recoveries.noteKill();
    if (name === 'collector' || name === 'collector-2') this.#parts.senders[name].noteKill();
    await target.kill();
    const kills = Object.values(this.#kills).reduce((sum, count) => sum + count, 0);
    this.#say(`kill ${kills}: ${name}${starting}${inInsert ? ' in an insert' : ''}`);
  }

  /** A stopped zombie is not killed; the other aggregator is, in its place. */
  #awake(name: TargetName): TargetName {
    if (!this.#parts.targets[name].isStopped) return name;
    return name === 'aggregator' ? 'aggregator-2' : 'aggregator';
  }

  /** Waits for an insert where the stroke is aimed at one. False where it is not, or where none comes. */
  async #insertOf(name: TargetName, lateMs: number | undefined): Promise<boolean> {
    if (lateMs === undefined) return false;
    const { watches } = this.#parts;
    const aggregators =
      name === 'aggregator' || name === 'aggregator-2' ? [watches[name]] : Object.values(watches);
    const came = await Promise.race(aggregators.map((watch) => watch.nextInsert(INSERT_MS_MAX)));
    if (came) await sleep(lateMs);
    return came;
  }

  #say(what: string): void {
    const { fates, recoveries, senders } = this.#parts;
    const acknowledged = Object.values(senders).reduce((sum, sender) => sum + sender.acknowledgedRecords, 0);
    const atS = ((performance.now() - this.#startMs) / 1_000).toFixed(1);
    this.#parts.say(
      `${atS.padStart(6)} s  ${what}; ${acknowledged} records acknowledged, ${fates.ambiguous} ambiguous inserts, last recovery ${(recoveries.lastRecoveryMs / 1_000).toFixed(1)} s`,
    );
  }
}
