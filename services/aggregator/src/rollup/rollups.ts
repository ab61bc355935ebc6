/*
 * Keeps `hour_rollup` up to date: one pass builds the hours that have ended, every ten minutes the hour that runs, and those
 * that have got rows since they were built, and deletes older builds. One member of the group does it. Two members that do it at once, at a change of the owner, build
 * the same hour twice under two versions, and the older one is deleted.
 */
import type { Logger } from '@imscope/runtime/logger.js';
import { HOUR_MS, TERM_HOURS } from '@imscope/schemas/retention.js';
import { buildHour, type Command } from './build-hour.js';
import { dueBuilds, outdatedVersions, versionAt } from './plan-pass.js';
import { readBuilds, readVersions, StoredSlices } from './read-state.js';
import type { Ask } from '../store/store-ask.js';
import type { RollupMetrics } from './rollup-metrics.js';

/** Older builds are few, and deleting them rewrites parts. */
const DELETE_EVERY_MS = 20 * 60_000;

export type RollupContext = {
  readonly ask: Ask;
  readonly command: Command;
  /** The store's clock, epoch milliseconds: blocks and builds are compared by it. */
  readonly readClock: () => Promise<number>;
  readonly topicPrefix: string;
  /** Distinguishes builders whose clocks agree to the millisecond. */
  readonly builder: number;
  /** At any time one member of the group is: it builds for all. */
  readonly isBuilder: () => boolean;
  readonly metrics: RollupMetrics;
  readonly logger: Logger;
};

export class Rollups {
  readonly #context: RollupContext;
  readonly #stored = new StoredSlices();
  #deletedMs = Number.NEGATIVE_INFINITY;

  constructor(context: RollupContext) {
    this.#context = context;
  }

  /** One pass, where this member is the builder. Never rejects: what failed is tried again by the next pass. */
  async pass(): Promise<void> {
    const { isBuilder, logger } = this.#context;
    if (!isBuilder()) return;
    try {
      await this.#run();
    } catch (error) {
      if (isBuilder()) logger.warn({ err: error }, 'a rollup pass failed, trying again');
    }
  }

  async #run(): Promise<void> {
    const { ask, command, readClock, topicPrefix, builder, isBuilder, metrics } = this.#context;
    const nowMs = await readClock();
    const sinceMs = nowMs - TERM_HOURS.interfaceMetric * HOUR_MS;
    const stored = await this.#stored.read(ask, topicPrefix, { nowMs, sinceMs });
    const due = dueBuilds(await readBuilds(ask), stored, nowMs);
    for (const { kind, hourMs, toMs } of due) {
      if (!isBuilder()) return;
      // Before the rows are read: a block that is stored from now on makes the hour due again.
      const version = versionAt(await readClock(), builder);
      await buildHour(command, { kind, hourMs, toMs, version });
      metrics.rollupHoursBuilt.inc({ kind });
    }
    if (nowMs - this.#deletedMs >= DELETE_EVERY_MS) {
      await this.#deleteOutdated(nowMs);
      this.#deletedMs = nowMs;
    }
    metrics.rollupPassedAt.set((await readClock()) / 1_000);
  }

  /** By one mutation, which rewrites the parts that hold such rows: a few megabytes each. */
  async #deleteOutdated(nowMs: number): Promise<void> {
    const { ask, command } = this.#context;
    const versions = outdatedVersions(await readVersions(ask), await readBuilds(ask), nowMs);
    if (versions.length === 0) return;
    await command('ALTER TABLE hour_rollup DELETE WHERE version IN {versions:Array(UInt64)}', { versions });
  }
}
