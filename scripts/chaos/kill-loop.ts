/* Injects the faults of a plan one after another. A zombie stays stopped during the next faults. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AggregatorName, CollectorName } from './chaos-pipeline.js';
import type { InsertFates, InsertWatch } from './insert-watch.js';
import type { Fault, FaultKind, TargetName } from './kill-plan.js';
import type { KillTarget } from './kill-targets.js';
import type { Recoveries } from './recoveries.js';
import type { TrackedSender } from './tracked-sender.js';

export type Targets = Readonly<Record<TargetName, KillTarget>>;

/** How long the loop runs: a time, or a number of faults. */
export type Until = { readonly ms: number } | { readonly faults: number };

export type LoopCounts = {
  readonly kills: Readonly<Record<Exclude<FaultKind, 'zombie'>, number>>;
  readonly killsWhileStarting: number;
  readonly zombies: number;
  /** Processes that ended without a kill. */
  readonly unexpectedEnds: number;
};

export type LoopDependencies = {
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
  readonly #parts: LoopDependencies;
  readonly #kills = { store: 0, collector: 0, broker: 0, aggregator: 0 };
  readonly #startMs = performance.now();
  #killsWhileStarting = 0;
  #zombies = 0;
  #zombie: Promise<void> = Promise.resolve();

  constructor(parts: LoopDependencies) {
    this.#parts = parts;
  }

  get counts(): LoopCounts {
    const unexpectedEnds = Object.values(this.#parts.targets).reduce(
      (sum, target) => sum + target.unexpectedEnds,
      0,
    );
    const [kills, killsWhileStarting, zombies] = [this.#kills, this.#killsWhileStarting, this.#zombies];
    return { kills, killsWhileStarting, zombies, unexpectedEnds };
  }

  /** Resolves after the last zombie was continued. */
  async run(plan: Iterable<Fault>, until: Until): Promise<void> {
    let faults = 0;
    try {
      for (const fault of plan) {
        const over = 'ms' in until ? performance.now() - this.#startMs > until.ms : faults >= until.faults;
        if (over) break;
        await sleep(fault.pauseMs);
        await this.#inject(fault);
        faults += 1;
      }
    } finally {
      await this.#zombie;
    }
  }

  /** Waits until all processes are ready and data sent after the last kill is stored. */
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

  async #inject(fault: Fault): Promise<void> {
    if (fault.kind === 'zombie') await this.#zombie;
    const name = this.#runningTarget(fault.target);
    const target = this.#parts.targets[name];
    if (!fault.whileStarting) await target.untilReady();
    const inInsert = target.isReady && (await this.#insertOf(name, fault.intoInsertMs));
    const starting = target.isReady ? '' : ', which was starting';
    if (fault.kind === 'zombie') {
      this.#zombies += 1;
      this.#zombie = target.stopFor(fault.stoppedMs).then(() => this.#say(`${name} continues`));
      this.#say(
        `${name} stopped for ${(fault.stoppedMs / 1_000).toFixed(1)} s${inInsert ? ' in an insert' : ''}`,
      );
      return;
    }
    if (!target.isReady) this.#killsWhileStarting += 1;
    this.#kills[fault.kind] += 1;
    this.#parts.recoveries.noteKill();
    if (name === 'collector' || name === 'collector-2') this.#parts.senders[name].noteKill();
    await target.kill();
    const kills = Object.values(this.#kills).reduce((sum, count) => sum + count, 0);
    this.#say(`kill ${kills}: ${name}${starting}${inInsert ? ' in an insert' : ''}`);
  }

  /** The target, or the other aggregator where the target is a stopped zombie. */
  #runningTarget(name: TargetName): TargetName {
    if (!this.#parts.targets[name].isStopped) return name;
    return name === 'aggregator' ? 'aggregator-2' : 'aggregator';
  }

  /** Waits for an insert if the fault is timed by one. False if it is not, or if no insert arrives. */
  async #insertOf(name: TargetName, lateMs: number | undefined): Promise<boolean> {
    if (lateMs === undefined) return false;
    const { watches } = this.#parts;
    const aggregators =
      name === 'aggregator' || name === 'aggregator-2' ? [watches[name]] : Object.values(watches);
    const isFound = await Promise.race(aggregators.map((watch) => watch.nextInsert(INSERT_MS_MAX)));
    if (isFound) await sleep(lateMs);
    return isFound;
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
