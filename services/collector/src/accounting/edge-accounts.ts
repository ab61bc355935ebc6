/*
 * Edge accounts: what an incarnation accepted and what it logged to be sent, cumulative since its start. Accepted and
 * sent records are counted in one step when a batch is logged, so that in every account accepted = sent + sampled out.
 * An earlier state can be restored, for the recovery of a killed incarnation. Pure.
 */
import {
  type ApplicationAccount,
  type EdgeAccount,
  KEYED_SEQUENCE,
  type PartitionAccount,
} from '@imscope/schemas/edge-account.js';
import { incrementCount } from '../metrics/increment-count.js';
import type { CoveredSpan } from '../spool/segment-head.js';
import type { CollectorFacts } from './collector-facts.js';

/** Applications in one chunk: 750 with all reasons of rejection have below 440 kB; see `row-containers.ts`. */
export const APPLICATIONS_PER_CHUNK = 750;
/** Most applications. Further ones are counted under application 0, so that sums stay exact. */
export const APPLICATIONS_MAX = 100_000;
/** For records that name no application their sender may use, where it may use several; and above the bound. */
export const UNKNOWN_APPLICATION = 0;

export type EdgeAccountsOptions = {
  readonly collector: string;
  readonly boot: string;
  readonly version: string;
  readonly startedMs: number;
  readonly covers?: CoveredSpan | undefined;
  readonly facts: () => CollectorFacts;
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
  /** Of containers of request logs. */
  #sentBytes = 0;
  /** How often application 0 was counted because there were too many applications. */
  overflowed = 0;

  constructor(options: EdgeAccountsOptions) {
    this.#options = options;
  }

  get applications(): number {
    return this.#applications.size;
  }

  accept(sdkAppId: number): void {
    this.#countsOf(sdkAppId).accepted += 1;
  }

  /** Accepted and counted, but not logged one by one. */
  sampleOut(sdkAppId: number, requests: number): void {
    const counts = this.#countsOf(sdkAppId);
    counts.accepted += requests;
    counts.sampledOut += requests;
  }

  reject(sdkAppId: number, reason: string, records: number): void {
    const { rejected } = this.#countsOf(sdkAppId);
    incrementCount(rejected, reason, records);
  }

  /**
   * This batch is logged and will be sent. The ids of keyed batches are no sequences of the incarnation, so their records
   * are counted separately, with `KEYED_SEQUENCE` as their sequence.
   */
  sent(
    topic: string,
    batch: { readonly partition: number; readonly sequence: number; readonly keyed: boolean },
    records: number,
  ): void {
    const { partition, keyed } = batch;
    const counts = this.#partition(topic, partition, keyed);
    if (!keyed) counts.lastSequence = Math.max(counts.lastSequence, batch.sequence);
    counts.records += records;
  }

  /** The container of a batch of request logs that is logged and will be sent. */
  sentContainer(bytes: number): void {
    this.#sentBytes += bytes;
  }

  /** The account as of now, in chunks of applications; chunk 0 has the partitions. Uses one sequence. */
  next(nowMs: number, kind: 'running' | 'final'): EdgeAccount[] {
    const rows = this.state(nowMs, kind);
    this.#sequence += 1;
    return rows;
  }

  /** What `next` would return, without using its sequence: the state to restore from. */
  state(nowMs: number, kind: 'running' | 'final' = 'running'): EdgeAccount[] {
    const applications = Array.from(this.#applications, applicationAccount);
    const chunks = Math.max(1, Math.ceil(applications.length / APPLICATIONS_PER_CHUNK));
    const sequence = this.#sequence;
    const { collector, boot, version, startedMs, covers, facts } = this.#options;
    const told = facts();
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
      covers_from: covers?.fromMs ?? 0,
      covers_to: covers?.toMs ?? 0,
      ...told,
      sent_bytes: this.#sentBytes,
      retired: [],
    }));
  }

  /** @param rows as `state` returned them, of this version or an earlier one, which had no `sent_bytes` */
  restore(rows: readonly (Omit<EdgeAccount, 'sent_bytes'> & Partial<EdgeAccount>)[]): void {
    this.#applications.clear();
    this.#partitions.clear();
    for (const row of rows) {
      this.#sequence = row.sequence;
      this.#sentBytes = row.sent_bytes ?? 0;
      for (const { topic, partition, last_sequence: lastSequence, records } of row.partitions) {
        const keyed = lastSequence === KEYED_SEQUENCE;
        Object.assign(this.#partition(topic, partition, keyed), { lastSequence, records });
      }
      for (const { sdk_app_id: id, accepted, sampled_out: sampledOut, rejected } of row.applications) {
        this.#applications.set(id, { accepted, sampledOut, rejected: new Map(Object.entries(rejected)) });
      }
    }
  }

  /** An account with this sequence was written, so the next has a greater one. */
  skipTo(sequence: number): void {
    this.#sequence = Math.max(this.#sequence, sequence + 1);
  }

  /** The next sequence of a partition, after the greatest one counted. */
  nextSequence(topic: string, partition: number): number {
    return (this.#partitions.get(`${topic}/${partition}`)?.lastSequence ?? -1) + 1;
  }

  #partition(topic: string, partition: number, keyed: boolean): PartitionCounts {
    const key = `${topic}/${partition}${keyed ? '/keyed' : ''}`;
    let counts = this.#partitions.get(key);
    if (counts === undefined) {
      counts = { topic, partition, lastSequence: KEYED_SEQUENCE, records: 0 };
      this.#partitions.set(key, counts);
    }
    return counts;
  }

  #countsOf(sdkAppId: number): ApplicationCounts {
    const known = this.#applications.get(sdkAppId);
    if (known !== undefined) return known;
    const full = this.#applications.size >= (this.#options.applicationsMax ?? APPLICATIONS_MAX);
    if (full && sdkAppId !== UNKNOWN_APPLICATION) {
      this.overflowed += 1;
      return this.#countsOf(UNKNOWN_APPLICATION);
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
