/*
 * Reports partitions that make no progress: in the readiness by name, in a metric, and by ending the process where a
 * restart may help.
 */
import type { LoopContext } from './loop-context.js';
import { type PartitionState, ProgressWatch } from './progress-watch.js';
import type { TopicPartition } from './topic-partition.js';

/** Not ready after this share of the time after which the process ends. */
const NOT_READY_SHARE = 0.25;
const PREFIX = 'progress of ';

type Context = Pick<LoopContext, 'options' | 'metrics' | 'logger' | 'readiness' | 'fail'>;

export class ProgressReport {
  readonly #context: Context;
  readonly #watch = new ProgressWatch();
  /** Names in the readiness. */
  readonly #named = new Set<string>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Called often for every owned partition. */
  report(at: TopicPartition, state: PartitionState, nowMs: number): void {
    const { options, metrics, readiness, fail } = this.#context;
    const { topic, partition } = at;
    const { stillMs, text, mayRestart } = this.#watch.observe(at, state, nowMs);
    const lag = Math.max(0, (state.log?.end ?? 0) - state.nextOffset);
    metrics.lag.set({ topic, partition }, lag);
    metrics.stalledSeconds.set({ topic, partition }, stillMs / 1_000);
    if (stillMs >= options.stallTimeoutMs * NOT_READY_SHARE) this.#name(at, text, stillMs);
    else this.#unname(at);
    // Where something else fails (the store, a start), the cause is known and a restart does not help.
    const known = (): boolean =>
      Object.keys(readiness.state().failing).some((name) => !name.startsWith(PREFIX));
    if (mayRestart && stillMs > options.stallTimeoutMs && !known()) {
      fail(new Error(`${topic}:${partition} makes no progress with a lag of ${lag} messages: ${text}`));
    }
  }

  /** The partition waits on purpose, which is reported elsewhere. */
  forget(at: TopicPartition): void {
    this.#watch.forget(at);
    this.#context.metrics.stalledSeconds.set({ topic: at.topic, partition: at.partition }, 0);
    this.#unname(at);
  }

  /** No partition is owned. */
  clear(): void {
    const { metrics, readiness } = this.#context;
    this.#watch.forgetAll();
    for (const name of this.#named) readiness.report(name);
    this.#named.clear();
    metrics.lag.reset();
    metrics.stalledSeconds.reset();
  }

  #name({ topic, partition }: TopicPartition, text: string, stillMs: number): void {
    const { readiness, logger } = this.#context;
    const name = `${PREFIX}${topic}:${partition}`;
    readiness.report(name, `no progress for ${Math.round(stillMs / 1_000)} s: ${text}`);
    if (this.#named.has(name)) return;
    this.#named.add(name);
    logger.warn({ topic, partition, stillMs: Math.round(stillMs) }, `no progress: ${text}`);
  }

  #unname({ topic, partition }: TopicPartition): void {
    const { readiness, logger } = this.#context;
    const name = `${PREFIX}${topic}:${partition}`;
    if (!this.#named.delete(name)) return;
    readiness.report(name);
    logger.info({ topic, partition }, 'makes progress again');
  }
}
