/*
 * The ends of the request log's partitions, and how far the aggregator has committed them. Everything acknowledged before
 * an end was read is stored once the commits have reached that end. This distinguishes a loss from records in flight
 * without a guess at how long they need.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { storedUpTo } from '@imscope/aggregator/consume/resume.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { openKafka } from '../stack/kafka-client.js';

/** Offset by partition: of the next message to be written (end), or to be read (committed). */
export type Positions = ReadonlyMap<number, number>;

export type LogPositions = {
  ends(): Promise<Positions>;
  committed(): Promise<Positions>;
  close(): Promise<void>;
};

/** The default of the aggregator's CONSUMER_GROUP. */
const GROUP = 'imscope-aggregator';
const CAUGHT_UP_WITHIN_MS = 60_000;
const POLL_MS = 250;

/** @param address host:port of Kafka */
export async function openLogPositions(address: string): Promise<LogPositions> {
  const kafka = openKafka(address, {
    clientId: 'imscope-start',
    requestTimeout: 3_000,
    retry: { retries: 1 },
  });
  const admin = kafka.admin();
  await admin.connect();
  const topic = TOPICS.requestLog.name;
  return {
    ends: async () => {
      const partitions = await admin.fetchTopicOffsets(topic);
      return new Map(partitions.map(({ partition, high }) => [partition, Number(high)]));
    },
    committed: async () => {
      const [group] = await admin.fetchOffsets({ groupId: GROUP, topics: [topic] });
      return new Map(
        group?.partitions.map(({ partition, offset, metadata }) => [
          partition,
          storedUpTo({ offset: Number(offset), metadata: metadata ?? '' }),
        ]),
      );
    },
    close: () => admin.disconnect(),
  };
}

/** True where everything before the ends is committed. An empty partition has nothing to commit. */
export function isReached(ends: Positions, committed: Positions): boolean {
  return [...ends].every(([partition, end]) => end === 0 || (committed.get(partition) ?? -1) >= end);
}

/**
 * Waits until everything that is in the log now is stored: what an earlier start left belongs to that start.
 * @returns false where that took too long, or a stop was requested
 */
export async function waitCaughtUp(positions: LogPositions, signal: AbortSignal): Promise<boolean> {
  const ends = await positions.ends();
  const deadline = Date.now() + CAUGHT_UP_WITHIN_MS;
  while (!isReached(ends, await positions.committed())) {
    if (Date.now() > deadline || signal.aborted) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** How many of the acknowledged records must be in the store by now, by the positions of the log. */
export class Settling {
  private checkpoint:
    { readonly atMs: number; readonly acknowledged: number; readonly ends: Positions } | undefined;
  private settled = 0;

  constructor(private readonly positions: Pick<LogPositions, 'ends' | 'committed'>) {}

  /**
   * @param acknowledged as known a moment ago, not later than this call
   * @returns what must be stored by now; and since when, epoch milliseconds, the log waits to be stored
   */
  async advance(acknowledged: number, nowMs: number): Promise<{ settled: number; waitingSinceMs: number }> {
    try {
      if (
        this.checkpoint !== undefined &&
        isReached(this.checkpoint.ends, await this.positions.committed())
      ) {
        this.settled = this.checkpoint.acknowledged;
        this.checkpoint = undefined;
      }
      this.checkpoint ??= { atMs: nowMs, acknowledged, ends: await this.positions.ends() };
    } catch {
      // Kafka is down: nothing new is known, and what is known stays valid.
    }
    return { settled: this.settled, waitingSinceMs: this.checkpoint?.atMs ?? nowMs };
  }
}
