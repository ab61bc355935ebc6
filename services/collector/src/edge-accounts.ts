/*
 * The sending side of the balance: what this boot took in and what Kafka acknowledged, cumulative since the
 * start. Accepted records and records sent are booked in one step when a batch is acknowledged, so in every
 * account they agree. Pure: the clock is an argument.
 */
import type { ApplicationAccount, EdgeAccount, PartitionAccount } from '@imscope/schemas/edge-account.js';

/** Applications in one chunk: 1,000 with all reasons of rejection come to 400 kB, below the message bound. */
export const APPLICATIONS_PER_CHUNK = 1_000;
/** Known applications. Beyond, further ones are booked under application 0, so that sums stay exact. */
export const APPLICATIONS_MAX = 100_000;
/** For what could not be read, was sent by somebody who does not speak for it, or came beyond the bound. */
export const UNKNOWN_APPLICATION = 0;

export type EdgeAccountsOptions = {
  readonly collector: string;
  readonly boot: string;
  readonly version: string;
  readonly startedMs: number;
  readonly applicationsMax?: number;
};

type ApplicationCounts = { accepted: number; sampledOut: number; readonly rejected: Map<string, number> };
type PartitionCounts = {
  readonly topic: string;
  readonly partition: number;
  lastSequence: number;
  records: number;
};

export class EdgeAccounts {
  readonly #options: EdgeAccountsOptions;
  readonly #applications = new Map<number, ApplicationCounts>();
  /** By topic and partition: as many as the topics have partitions. */
  readonly #partitions = new Map<string, PartitionCounts>();
  #sequence = 0;
  /** Bookings under application 0 because there were too many applications. */
  overflowed = 0;

  constructor(options: EdgeAccountsOptions) {
    this.#options = options;
  }

  get applications(): number {
    return this.#applications.size;
  }

  accept(sdkAppId: number): void {
    this.#of(sdkAppId).accepted += 1;
  }

  reject(sdkAppId: number, reason: string, records: number): void {
    const { rejected } = this.#of(sdkAppId);
    rejected.set(reason, (rejected.get(reason) ?? 0) + records);
  }

  /** Kafka has this batch. Within a partition batches are acknowledged in the order of their sequences. */
  sent(
    topic: string,
    batch: { readonly partition: number; readonly sequence: number },
    records: number,
  ): void {
    const key = `${topic}/${batch.partition}`;
    let counts = this.#partitions.get(key);
    if (counts === undefined) {
      counts = { topic, partition: batch.partition, lastSequence: -1, records: 0 };
      this.#partitions.set(key, counts);
    }
    counts.lastSequence = Math.max(counts.lastSequence, batch.sequence);
    counts.records += records;
  }

  /** The account as of now, in chunks of applications; partitions stand in chunk 0. Uses up one sequence. */
  write(nowMs: number, kind: 'running' | 'final'): EdgeAccount[] {
    const applications = Array.from(this.#applications, applicationAccount);
    const chunks = Math.max(1, Math.ceil(applications.length / APPLICATIONS_PER_CHUNK));
    const sequence = this.#sequence++;
    const { collector, boot, version, startedMs } = this.#options;
    return Array.from({ length: chunks }, (_, chunk) => ({
      time: nowMs,
      collector,
      boot,
      started: startedMs,
      version,
      sequence,
      chunk,
      chunks,
      final: kind === 'final',
      partitions: chunk === 0 ? Array.from(this.#partitions.values(), partitionAccount) : [],
      applications: applications.slice(chunk * APPLICATIONS_PER_CHUNK, (chunk + 1) * APPLICATIONS_PER_CHUNK),
    }));
  }

  #of(sdkAppId: number): ApplicationCounts {
    const known = this.#applications.get(sdkAppId);
    if (known !== undefined) return known;
    const full = this.#applications.size >= (this.#options.applicationsMax ?? APPLICATIONS_MAX);
    if (full && sdkAppId !== UNKNOWN_APPLICATION) {
      this.overflowed += 1;
      return this.#of(UNKNOWN_APPLICATION);
    }
    const counts = { accepted: 0, sampledOut: 0, rejected: new Map<string, number>() };
    this.#applications.set(sdkAppId, counts);
    return counts;
  }
}

function applicationAccount([sdkAppId, counts]: readonly [number, ApplicationCounts]): ApplicationAccount {
  return {
    sdk_app_id: sdkAppId,
    accepted: counts.accepted,
    sampled_out: counts.sampledOut,
    rejected: Object.fromEntries(counts.rejected),
  };
}

function partitionAccount(counts: PartitionCounts): PartitionAccount {
  const { topic, partition, lastSequence, records } = counts;
  return { topic, partition, last_sequence: lastSequence, records };
}
