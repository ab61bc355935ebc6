/*
 * One aggregator process: the real consumer loop with all that is below it, its ports leading over unreliable calls
 * to the models, and a fetch loop that behaves as kafkajs does, its faults included.
 */
import { INTERFACE_METRIC_SCHEMA, REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { type BlockBounds, writeMarkerHeaders } from '@imscope/schemas/block-bounds.js';
import { containerHeader } from '@imscope/schemas/container.js';
import { createReadiness } from '@imscope/runtime/readiness.js';
import { ConsumerLoop, type FetchedBatch } from '../../src/consume/consumer-loop.js';
import type { BrokerPorts, LoopContext } from '../../src/consume/loop-context.js';
import type { StorePorts } from '../../src/store/store-ports.js';
import type { FetchedLog } from '@imscope/runtime/kafkajs/fetch-holes.js';
import { storeBlock } from '../../src/store/store-block.js';
import { REQUEST_LOG_STREAM } from '../../src/blocks/streams.js';
import type { Log, ModelBroker } from './model-broker.js';
import { type ModelStore, storeError } from './model-store.js';
import { type Calls, type Caller, call } from './unreliable.js';
import { LOGGER, METRICS } from './quiet-parts.js';

export const TOPIC = 'im.request-log';
export const CLUSTER = 'simulated';
const TICK_MS = 200;
const STALL_TIMEOUT_MS = 120_000;
const SESSION_TIMEOUT_MS = 10_000;
/** Nothing fences a commit: it may land when its topic is another one already. */
const COMMIT_LATEST_MS = 300_000;

/** Changes one step of a process, to see whether the simulation notices. */
export type Breakage = (parts: LoopContext, world: World) => LoopContext;

/** Changes what a process learns of a fetched batch; undefined where it does not get it, and goes on after it. */
export type BreakBatch = (batch: FetchedBatch, log: Log) => FetchedBatch | undefined;

export type Broken = {
  readonly breakage?: Breakage | undefined;
  readonly breakBatch?: BreakBatch | undefined;
};

export type World = Calls & {
  readonly broker: ModelBroker;
  readonly store: ModelStore;
  readonly breakage: Breakage | undefined;
  readonly breakBatch: BreakBatch | undefined;
  /** Called for every end that no fault of the simulation explains. */
  readonly complain: (problem: string) => void;
};

export class SimulatedProcess {
  readonly name: string;
  readonly #world: World;
  readonly #loop: ConsumerLoop;
  readonly #member;
  readonly #caller: Caller;
  readonly #seeks = new Map<number, number>();
  readonly #fetchedLogs = new Map<number, FetchedLog>();
  #generation = -1;
  #alive = true;
  readonly #onEnd: () => void;

  /** @param onEnd called once when the process died or stopped */
  constructor(world: World, name: string, bounds: BlockBounds, onEnd: () => void) {
    this.#world = world;
    this.name = name;
    this.#onEnd = onEnd;
    this.#caller = { name, alive: () => this.#alive, die: (why) => this.kill(why) };
    const parts = this.#parts(bounds);
    this.#loop = new ConsumerLoop(world.breakage === undefined ? parts : world.breakage(parts, world));
    this.#member = {
      name,
      rebalancing: (generation: number) => {
        if (!this.#alive || generation <= this.#generation) return;
        this.#generation = generation - 0.5;
        this.#loop.loseAll();
      },
      assigned: (generation: number, partitions: readonly number[]) => {
        if (!this.#alive || generation <= this.#generation) return;
        this.#generation = generation;
        this.#seeks.clear();
        this.#fetchedLogs.clear();
        void this.#loop.assign(partitions.map((partition) => ({ topic: TOPIC, partition })));
        world.trace(() => `${name} owns [${partitions.join()}] in generation ${generation}`);
        for (const partition of partitions) void this.#consume(partition, generation);
      },
    };
    world.broker.join(this.#member);
    this.#tick();
  }

  /** SIGKILL: the group hears of it when the session times out. */
  kill(why: string): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#world.trace(() => `${this.name} dies ${why}`);
    this.#world.time.after(SESSION_TIMEOUT_MS, () => this.#world.broker.leave(this.#member));
    this.#onEnd();
  }

  /** SIGTERM: finishes the blocks in hand and leaves the group. */
  async stop(): Promise<void> {
    await this.#loop.idle();
    if (!this.#alive) return;
    this.#alive = false;
    this.#world.trace(() => `${this.name} stopped`);
    this.#world.broker.leave(this.#member);
    this.#onEnd();
  }

  #tick(): void {
    if (!this.#alive) return;
    this.#loop.tick();
    this.#world.time.after(TICK_MS, () => this.#tick());
  }

  /** Fetches one partition for as long as the generation lasts. */
  async #consume(partition: number, generation: number): Promise<void> {
    const { broker, time, random, weather, trace, breakBatch } = this.#world;
    const life = broker.log(partition);
    const current = (): boolean => this.#alive && this.#generation === generation;
    let position = broker.commits.get(partition)?.offset ?? 0;
    for (;;) {
      await time.delay(random.integer(5, 300));
      if (!current()) return;
      // The topic is deleted, or created again: fetching fails until the member has joined again.
      if (broker.log(partition) !== life) return broker.rejoin();
      position = this.#seeks.get(partition) ?? position;
      this.#seeks.delete(partition);
      if (position < life.start || position > life.messages.length) position = life.start;
      const fetched = broker.fetch(partition, position, random.integer(1, 12));
      this.#fetchedLogs.set(partition, {
        start: life.start,
        stable: broker.stableOffset(partition),
        end: life.messages.length,
        observedMs: time.nowMs,
      });
      if (fetched === undefined) continue;
      const { coveredTo } = fetched;
      if (random.chance(weather.slow)) await time.delay(random.integer(0, weather.slowestMs));
      if (!current()) return;
      trace(
        () =>
          `${this.name} fetched ${partition}:${fetched.firstOffset}-${coveredTo - 1} from ${fetched.fetchedFrom}, ${fetched.messages.length} messages, end ${fetched.endOffset}`,
      );
      const complete = { topic: TOPIC, partition, ...fetched };
      const batch = breakBatch === undefined ? complete : breakBatch(complete, life);
      if (batch === undefined) {
        position = coveredTo;
        continue;
      }
      const fate = await this.#loop.consumeBatch(batch);
      if (!current()) return;
      if (fate.kind === 'again' && fate.afterMs > 0) await time.delay(fate.afterMs);
      if (!current()) return;
      if (fate.kind === 'pause') this.#world.complain(`paused at offset ${fate.offset}`);
      // kafkajs may skip messages that were not resolved.
      if (fate.kind === 'done' || random.chance(weather.fails)) position = coveredTo;
    }
  }

  #parts(bounds: BlockBounds): LoopContext {
    const { time, random } = this.#world;
    return {
      options: { bounds, markerAgeMs: 500, stallTimeoutMs: STALL_TIMEOUT_MS },
      cluster: CLUSTER,
      streams: new Map([[TOPIC, { ...REQUEST_LOG_STREAM, schemas: [REQUEST_LOG_SCHEMA, SECOND_SCHEMA] }]]),
      broker: this.#brokerPorts(),
      store: this.#storePorts(),
      timing: {
        nowMs: () => time.nowMs,
        delay: async (ms) => {
          await time.delay(ms);
          if (!this.#alive) await new Promise(() => undefined);
        },
        random: () => random.next(),
      },
      storeBlock,
      metrics: METRICS,
      logger: LOGGER,
      readiness: createReadiness([]),
      fail: (error) => {
        if (!/makes no progress/.test(error.message))
          this.#world.complain(`${this.name} failed: ${error.message}`);
        this.kill(error.message);
      },
    };
  }

  #call<T>(name: string, effect: () => Promise<T> | T): Promise<T> {
    return call(this.#world, this.#caller, name, effect);
  }

  #brokerPorts(): BrokerPorts {
    const { broker } = this.#world;
    return {
      commit: ({ partition }, offset, metadata) =>
        call(
          this.#world,
          this.#caller,
          `commit ${partition}:${offset}`,
          () => void broker.commits.set(partition, { offset, metadata }),
          COMMIT_LATEST_MS,
        ),
      readCommitted: ({ partition }) =>
        this.#call(`read commit ${partition}`, () => broker.commits.get(partition)),
      readLogSpan: ({ partition }) =>
        this.#call(`read log ${partition}`, () => {
          return { start: broker.log(partition).start, end: broker.stableOffset(partition) };
        }),
      fetchedLog: ({ partition }) => this.#fetchedLogs.get(partition),
      appendMarker: ({ partition }, stream, bounds) =>
        this.#call(`marker ${partition} ${bounds.rowsMax}`, () =>
          broker.append(partition, {
            value: containerHeader(stream.schema),
            headers: writeMarkerHeaders(bounds),
          }),
        ),
      writeDeadLetters: async (place, dead) => {
        for (const one of dead) {
          await this.#call(`dead letter ${place.partition}:${one.message.offset}`, () =>
            broker.deadLetters.push({ place, dead: one }),
          );
        }
      },
      seek: ({ partition }, offset) => void this.#seeks.set(partition, offset),
      resume: () => undefined,
    };
  }

  #storePorts(): StorePorts {
    const { store, time, random, weather } = this.#world;
    return {
      insert: (stream, insert) =>
        this.#call(`insert ${insert.token} (${insert.rows} rows)`, async () => {
          for (const chunk of store.prepare(stream, insert)) {
            if (random.chance(weather.slow)) await time.delay(random.integer(0, weather.slowestMs));
            if (random.chance(weather.fails)) throw storeError(241);
            store.apply(chunk);
          }
        }),
      writeLedger: (row) =>
        this.#call(`ledger ${row.partition}:${row.first_offset}-${row.last_offset} ${row.rows} rows`, () =>
          store.record(row),
        ),
      readPosition: (place) =>
        this.#call(`read position ${place.partition}`, () =>
          store.readPosition(place, random.integer(0, store.lagMs)),
        ),
      readSeen: async (place, range) => {
        if (random.chance(weather.slow)) await time.delay(random.integer(0, weather.slowestMs));
        return this.#call(`read seen ${place.partition}`, () =>
          store.readSeen(place, range, random.integer(0, store.lagMs)),
        );
      },
    };
  }
}

/** The second schema of the simulated topic, as a new version of a record would be. */
export const SECOND_SCHEMA = INTERFACE_METRIC_SCHEMA;
