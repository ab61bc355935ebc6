/*
 * Reads a spool without changing it and reports what it holds: for each incarnation the segments, batches and records,
 * how many of them Kafka has acknowledged as far as the log tells, and every damaged range. For `imscope spool check`.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isKeyedBoot } from '@imscope/schemas/batch-headers.js';
import { Acknowledgements } from './acknowledgements.js';
import { type BatchHead, decodeBatchHead } from './batch-entry.js';
import { type DamagedRange, type DecodedEntry, decodeSegment } from './entry.js';
import { segmentNumber } from './segment.js';
import type { Acknowledged, SegmentHead } from './segment-head.js';

export type IncarnationReport = {
  readonly boot: string;
  readonly collector: string;
  /** `ended`: its final account is in the log. `open`: it is running, or it was killed. */
  readonly state: 'ended' | 'open';
  readonly segments: number;
  readonly bytes: number;
  readonly batches: number;
  readonly records: number;
  /** Batches and records that Kafka may not have: what a start would send. */
  readonly waitingBatches: number;
  readonly waitingRecords: number;
  /** When the oldest of them was logged, epoch milliseconds. */
  readonly waitingSinceMs: number | null;
};

export type SpoolFault = {
  /** `torn_tail`: a log ends within an entry, as after a kill; no acknowledged record is lost. */
  readonly kind: 'torn_tail' | 'damaged' | 'unreadable';
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
};

export type SpoolReport = {
  /** Process id in the lock file; null where there is none. */
  readonly heldBy: number | null;
  readonly boots: readonly IncarnationReport[];
  readonly faults: readonly SpoolFault[];
};

/** @throws Error where the path is not the directory of a spool */
export async function checkSpool(directory: string): Promise<SpoolReport> {
  const boots = join(directory, 'boots');
  const names = await readdir(boots).catch((error: unknown) => {
    throw new Error(`${directory} is no spool: it has no directory "boots"`, { cause: error });
  });
  const lock = await readFile(join(directory, 'lock'), 'utf8').catch(() => '');
  const reports: IncarnationReport[] = [];
  const faults: SpoolFault[] = [];
  for (const boot of names.toSorted()) {
    reports.push(await checkIncarnation(join(boots, boot), boot, (fault) => faults.push(fault)));
  }
  const named = faults.map((fault) => ({ ...fault, file: relative(directory, fault.file) }));
  return { heldBy: Number(lock.split(' ', 1)[0]) || null, boots: reports, faults: named };
}

type IncarnationState = {
  collector: string;
  closed: boolean;
  bytes: number;
  readonly batches: Map<string, BatchHead>;
  readonly acknowledged: Acknowledgements;
};

async function checkIncarnation(
  directory: string,
  boot: string,
  onFault: (fault: SpoolFault) => void,
): Promise<IncarnationReport> {
  const files = (await readdir(directory)).filter((name) => segmentNumber(name) !== undefined).toSorted();
  const state: IncarnationState = {
    collector: '',
    closed: false,
    bytes: 0,
    batches: new Map(),
    acknowledged: new Acknowledgements(),
  };
  for (const name of files) {
    const file = join(directory, name);
    try {
      const segment = await readFile(file);
      state.bytes += segment.length;
      for (const found of decodeSegment(segment)) {
        if ('kind' in found) noteEntry(state, found);
        else onFault(faultOf(found, file, name === files.at(-1)));
      }
    } catch {
      onFault({ kind: 'unreadable', file, offset: 0, bytes: 0 });
    }
  }
  return reportOf(boot, files.length, state);
}

function noteEntry(state: IncarnationState, entry: DecodedEntry): void {
  if (entry.kind === 'batch') {
    const head = decodeBatchHead(entry.payload);
    const { boot, partition, sequence } = head.id;
    // An entry with counts only is not sent to Kafka. A moved entry replaces the one before it.
    if (head.records > 0 || head.expiredRecords !== undefined) {
      state.batches.set(`${head.topic}/${boot}/${partition}/${sequence}`, head);
    }
  } else if (entry.kind === 'open') {
    const head = JSON.parse(entry.payload.toString('utf8')) as SegmentHead;
    state.collector = head.collector;
    noteAcknowledged(state, head.acknowledged);
  } else if (entry.kind === 'mark') {
    noteAcknowledged(state, JSON.parse(entry.payload.toString('utf8')));
  } else if (entry.kind === 'closed') state.closed = true;
}

function noteAcknowledged({ acknowledged }: IncarnationState, list: unknown): void {
  if (!Array.isArray(list)) return;
  for (const each of list as Acknowledged[]) acknowledged.note(each.topic, each);
}

function faultOf(bad: DamagedRange, file: string, last: boolean): SpoolFault {
  const kind = bad.atEnd && last ? 'torn_tail' : 'damaged';
  return { kind, file, offset: bad.offset, bytes: bad.bytes };
}

function reportOf(boot: string, segments: number, state: IncarnationState): IncarnationReport {
  const heads = [...state.batches.values()];
  const waiting = heads.filter(({ topic, id }) => isKeyedBoot(id.boot) || !state.acknowledged.has(topic, id));
  return {
    boot,
    collector: state.collector,
    state: state.closed ? 'ended' : 'open',
    segments,
    bytes: state.bytes,
    batches: heads.length,
    records: recordsOf(heads),
    waitingBatches: waiting.length,
    waitingRecords: recordsOf(waiting),
    waitingSinceMs: waiting.length === 0 ? null : Math.min(...waiting.map(({ loggedMs }) => loggedMs)),
  };
}

function recordsOf(heads: readonly BatchHead[]): number {
  return heads.reduce((sum, { records }) => sum + records, 0);
}
