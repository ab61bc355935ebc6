/*
 * One run of the simulation out of one seed: processes, producers and trouble for a while, then calm until all has
 * come to rest, once or more often, then the final check. Between two times the topic may be created again, or no process
 * may read for three days.
 */
import type { BlockBounds } from '@imscope/schemas/block-bounds.js';
import type { LedgerRow } from '../../src/blocks/block-content.js';
import { type ExpectedLog, expectedLogs, rowsByLife } from './expected-blocks.js';
import { findViolations } from './find-violations.js';
import { ForeignWriters } from './foreign-writers.js';
import { LOG_TIME } from '../log-of-messages.js';
import { ModelBroker } from './model-broker.js';
import { ModelStore } from './model-store.js';
import { Producers } from './producers.js';
import { Random } from './random.js';
import { type Broken, SimulatedProcess, type World } from './simulated-process.js';
import { CALM, type Weather } from './unreliable.js';
import { VirtualTime } from './virtual-time.js';

const HOUR_MS = 3_600_000;
/** Within this, calm must bring all to rest: sessions end, late calls land, replicas catch up. */
const SETTLE_MS = 600_000;
/** A run that fires more events than this goes round in circles. */
const EVENTS_MAX = 300_000;

/** Far from all other seeds. */
const FOREIGN_SEEDS = 1_000_000_000;

export type Outcome = {
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  readonly events: number;
  /** What happened, to see that the run was worth something. */
  readonly counts: { readonly blocks: number; readonly rows: number; readonly deaths: number };
};

export async function simulate(
  seed: number,
  options: Broken & { readonly verbose?: boolean } = {},
): Promise<Outcome> {
  const run = new Simulation(seed, options);
  return run.run();
}

class Simulation {
  readonly #time = new VirtualTime(LOG_TIME);
  readonly #random: Random;
  readonly #weather: Weather = { ...CALM };
  readonly #storm: Weather;
  readonly #world: World;
  readonly #broker: ModelBroker;
  readonly #store = new ModelStore(this.#time);
  readonly #producers: Producers;
  readonly #foreign: ForeignWriters;
  readonly #processes: SimulatedProcess[] = [];
  readonly #violations: string[] = [];
  readonly #trace: string[] = [];
  /** While no process reads, those that ended stay down. */
  #closed = false;
  /** Whether no process read for three days before. */
  #rested = false;
  #started = 0;
  #deaths = 0;

  constructor(seed: number, { breakage, breakBatch, verbose }: Broken & { readonly verbose?: boolean }) {
    const random = new Random(seed);
    this.#random = random;
    this.#storm = {
      fails: random.pick([0, 0.02, 0.1]),
      losesAnswer: random.pick([0, 0.02, 0.1]),
      late: random.pick([0, 0.02, 0.1]),
      latestMs: random.pick([1_000, 10_000, 40_000]),
      slow: random.pick([0, 0.1, 0.3]),
      slowestMs: random.pick([200, 2_000, 15_000]),
      kills: random.pick([0, 0.005, 0.02]),
    };
    this.#broker = new ModelBroker(random.integer(1, 2), this.#time, random);
    this.#broker.deafnessMs = random.pick([500, 3_000, 20_000]);
    this.#store.lagMs = random.pick([0, 0, 0, 2_000]);
    this.#producers = new Producers(this.#broker, this.#time, random, {
      losesAcknowledgement: random.pick([0, 0.1, 0.4]),
      resendMs: random.pick([1_000, 10_000]),
      poison: random.pick([0, 0, 0.05, 0.2]),
      secondSchema: random.pick([0, 0.2, 0.5]),
    });
    this.#foreign = new ForeignWriters(this.#broker, this.#time, new Random(seed + FOREIGN_SEEDS));
    const trace = (line: () => string): void => {
      if (verbose === true)
        this.#trace.push(`${((this.#time.nowMs - LOG_TIME) / 1000).toFixed(3)} ${line()}`);
    };
    this.#world = {
      time: this.#time,
      random,
      weather: this.#weather,
      trace,
      broker: this.#broker,
      store: this.#store,
      breakage,
      breakBatch,
      complain: (problem) => this.#violations.push(problem),
    };
  }

  async run(): Promise<Outcome> {
    const random = this.#random;
    for (let index = random.integer(1, 3); index > 0; index--) this.#startProcess();
    const rounds = random.pick([1, 1, 2, 3]);
    for (let round = 1; round <= rounds && this.#violations.length === 0; round++) {
      if (round > 1) await this.#betweenRounds();
      await this.#storms();
      await this.#comeToRest();
    }
    if (this.#violations.length === 0) this.#violations.push(...findViolations(this.#broker, this.#store));
    return {
      violations: this.#violations,
      trace: this.#trace,
      events: this.#time.fired,
      counts: { blocks: this.#store.ledger().length, rows: this.#store.rows.length, deaths: this.#deaths },
    };
  }

  #startProcess(): void {
    if (this.#closed) return;
    this.#started += 1;
    const bounds: BlockBounds = {
      rowsMax: this.#random.pick([3, 8, 25]),
      bytesMax: this.#random.pick([6_000, 30_000, 1_000_000]),
    };
    const process = new SimulatedProcess(this.#world, `p${this.#started}`, bounds, () => {
      this.#deaths += 1;
      this.#processes.splice(this.#processes.indexOf(process), 1);
      this.#time.after(this.#random.integer(500, 12_000), () => this.#startProcess());
    });
    this.#processes.push(process);
  }

  async #storms(): Promise<void> {
    const random = this.#random;
    const lastsMs = random.integer(5_000, 25_000);
    Object.assign(this.#weather, this.#storm);
    for (let batch = random.integer(5, 40); batch > 0; batch--) {
      this.#time.after(random.integer(0, lastsMs), () => this.#producers.send());
    }
    this.#foreign.write(lastsMs);
    for (let trouble = random.integer(0, 5); trouble > 0; trouble--) {
      this.#time.after(random.integer(0, lastsMs), () => this.#makeTrouble());
    }
    await this.#time.run(this.#time.nowMs + lastsMs);
    Object.assign(this.#weather, CALM);
  }

  #makeTrouble(): void {
    const random = this.#random;
    const process = this.#processes[random.integer(0, Math.max(0, this.#processes.length - 1))];
    const troubles: [() => void, ...(() => void)[]] = [
      () => process?.kill('by the kernel'),
      () => void process?.stop(),
      () => this.#broker.rejoin(),
      () => this.#producers.restart(),
      () => this.#storeGoesAway(random.integer(1_000, 20_000)),
      () => this.#dropOldMessages(),
    ];
    random.pick(troubles)();
  }

  #storeGoesAway(ms: number): void {
    this.#weather.fails = 0.9;
    this.#world.trace(() => `broker and store hardly answer for ${ms} ms`);
    this.#time.after(ms, () => (this.#weather.fails = 0));
  }

  /** Retention: recorded messages may be deleted. */
  #dropOldMessages(): void {
    for (let partition = 0; partition < this.#broker.partitions; partition++) {
      const log = this.#broker.log(partition);
      log.start = Math.max(log.start, this.#random.integer(0, this.#recordedTo(partition)));
      this.#world.trace(() => `partition ${partition} starts at ${log.start}`);
    }
  }

  /** The topic is created again, or no process reads for three days while batches are still sent again. */
  async #betweenRounds(): Promise<void> {
    const random = this.#random;
    // After three days, the messages before would be gone by retention; here they stay, and would be unknown.
    if (!this.#rested && random.chance(0.2)) return this.#loseEnds();
    if (random.chance(0.5)) {
      if (random.chance(0.5)) this.#killAll();
      this.#world.trace(() => 'the topic is created again');
      this.#broker.recreate();
      this.#producers.sendOldAgain();
      if (this.#processes.length > 0 || random.chance(0.7)) return;
      for (let batch = random.integer(3, 8); batch > 0; batch--) this.#producers.send();
      this.#deleteUnread();
      return;
    }
    this.#rested = true;
    this.#world.trace(() => 'no process reads');
    const losesUnread = random.chance(0.3);
    this.#closed = true;
    if (losesUnread) this.#killAll();
    this.#producers.habits.losesAcknowledgement = 0.5;
    this.#producers.habits.resendMs = 23 * HOUR_MS;
    for (let batch = random.integer(3, 8); batch > 0; batch--) this.#producers.send();
    await this.#time.run(this.#time.nowMs + random.integer(2, 6) * 1_000);
    this.#killAll();
    await this.#time.run(this.#time.nowMs + 40 * HOUR_MS);
    // So that the last of them is acknowledged before anybody reads again.
    this.#producers.habits.losesAcknowledgement = 0;
    await this.#time.run(this.#time.nowMs + random.integer(34, 40) * HOUR_MS);
    if (losesUnread) this.#deleteUnread();
    this.#producers.habits.resendMs = 5_000;
    this.#producers.forgetOld();
    this.#closed = false;
    this.#startProcess();
    this.#startProcess();
  }

  #loseEnds(): void {
    for (let partition = 0; partition < this.#broker.partitions; partition++) {
      const recorded = this.#recordedTo(partition);
      if (recorded < 2) continue;
      const end = this.#random.integer(0, recorded - 1);
      this.#broker.truncate(partition, end);
      this.#world.trace(() => `partition ${partition} loses all from ${end} on`);
    }
  }

  #killAll(): void {
    for (const process of this.#processes.slice()) process.kill('with its host');
  }

  /**
   * Retention also deletes unread messages. In a new log not beyond the old one's position: there the two cannot be
   * distinguished, and need not be, for offsets and tokens continue as in one log.
   */
  #deleteUnread(): void {
    for (let partition = 0; partition < this.#broker.partitions; partition++) {
      const log = this.#broker.log(partition);
      const position = this.#store.readPosition({ cluster: '', topic: '', partition }, 0);
      const recorded = this.#recordedTo(partition);
      const end = position === undefined || recorded > 0 ? Infinity : position.lastOffset;
      const start = this.#random.integer(recorded, Math.min(this.#broker.stableOffset(partition), end));
      log.start = Math.max(log.start, start);
      for (let offset = recorded; offset < log.start; offset++) log.lost.add(offset);
      this.#world.trace(
        () => `partition ${partition} starts at ${log.start}, ${log.lost.size} messages are lost`,
      );
    }
  }

  async #comeToRest(): Promise<void> {
    const deadline = this.#time.nowMs + SETTLE_MS + this.#producers.habits.resendMs;
    while (!this.#atRest()) {
      if (this.#time.nowMs >= deadline || this.#time.fired > EVENTS_MAX) {
        this.#violations.push(`not at rest after ${SETTLE_MS / 1000} s of calm: ${this.#backlog()}`);
        return;
      }
      await this.#time.run(this.#time.nowMs + 500);
      if (this.#violations.length > 0) return;
    }
    // Calls that were given up land; nothing may come of them.
    await this.#time.run(this.#time.nowMs + this.#storm.latestMs + 2 * this.#storm.slowestMs);
  }

  #atRest(): boolean {
    return this.#producers.pending + this.#foreign.pending === 0 && this.#backlog() === '';
  }

  /** What is expected of the present log, and what is recorded of it. */
  #state(partition: number): { expected: ExpectedLog; recorded: readonly LedgerRow[] } {
    const logs = expectedLogs(this.#broker.lives[partition] ?? []);
    const rows = this.#store.ledger().filter((row) => row.partition === partition);
    const expected = logs.at(-1) ?? { blocks: [], openHolds: 0 };
    return { expected, recorded: rowsByLife(logs, rows).at(-1) ?? [] };
  }

  #recordedTo(partition: number): number {
    return Math.max(0, ...this.#state(partition).recorded.map((row) => row.last_offset + 1));
  }

  /** Partitions whose blocks are not all closed and recorded. */
  #backlog(): string {
    return Array.from({ length: this.#broker.partitions }, (_, partition) => {
      const { expected, recorded } = this.#state(partition);
      const { blocks, openHolds } = expected;
      return openHolds === 0 && recorded.length >= blocks.length
        ? ''
        : `partition ${partition} has ${recorded.length} of ${blocks.length} blocks recorded and ${openHolds} messages open`;
    })
      .filter((text) => text !== '')
      .join('; ');
  }
}
