/*
 * Recovers a killed incarnation: reads its log, restores its accounting to the last batch, and sends what Kafka may not
 * have, with the same ids. Then it ends like one that is stopped: its open windows and its final account are sent, and
 * its log is deleted. Works in small steps, so that new requests are not delayed.
 */
import { readdir, rm } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '@imscope/runtime/logger.js';
import { isKeyedBoot } from '@imscope/schemas/batch-headers.js';
import { Acknowledgements } from '../spool/acknowledgements.js';
import { Incarnation, type IncarnationOptions } from './incarnation.js';
import type { KeyedIds } from '../spool/keyed-ids.js';
import { type BatchHead, decodeBatch } from '../spool/batch-entry.js';
import { decodeSegment } from '../spool/entry.js';
import type { TailPosition } from '../spool/tail-position.js';
import { type Location, Segment, segmentNumber } from '../spool/segment.js';
import { type Acknowledged, readSegmentHead, type SegmentHead } from '../spool/segment-head.js';

export type RecoverOptions = Omit<IncarnationOptions, 'identity' | 'segments' | 'onFree'> & {
  /** Its id, which is the name of its directory. */
  readonly id: string;
  readonly keyedIds: KeyedIds;
  /** Saves how far tailed files were read. Called before any of the log may be deleted. */
  readonly saveTail?: (positions: readonly TailPosition[]) => Promise<void>;
  /** Once aborted, reading ends, and the log stays for the next start. */
  readonly signal?: AbortSignal;
};

type Found = {
  readonly unresolved: Map<string, { readonly head: BatchHead; readonly location: Location }>;
  readonly acknowledged: Acknowledgements;
  /** How far tailed files were read, in the order of the log. */
  readonly tail: TailPosition[];
  closed: boolean;
};

/** @returns undefined where there is nothing. The incarnation is closed: only `finish` is left to be called. */
export async function recoverIncarnation(options: RecoverOptions): Promise<Incarnation | undefined> {
  const { directory, logger, metrics, space } = options;
  const segments = await openSegments(directory, logger);
  if (segments.length === 0) {
    await rm(directory, { recursive: true, force: true });
    return undefined;
  }
  for (const segment of segments) space.add(segment.bytes);
  const last = await lastHead(segments);
  const identity = {
    collector: last?.head.collector ?? 'unknown',
    version: last?.head.version ?? 'unknown',
    startedMs: last?.head.startedMs ?? segments[0]?.openedMs ?? 0,
    covers: last?.head.covers,
    boot: options.id,
  };
  const incarnation = new Incarnation({ ...options, identity, segments, onFree: () => undefined });
  // No segment is deleted while they are read.
  for (const { number } of segments) incarnation.log.hold(number);
  if (last !== undefined) incarnation.accounting.restore(last.accounts);
  const found: Found = {
    unresolved: new Map(),
    acknowledged: new Acknowledgements(),
    tail: [],
    closed: false,
  };
  noteAcknowledged(found, last?.head.acknowledged ?? []);
  for (const segment of segments) {
    const into = {
      accounts: last === undefined || segment.number >= last.segment,
      windows: last === undefined || segment.number >= (last.head.windowsFrom ?? last.segment),
    };
    const isLast = segment === segments.at(-1);
    await replaySegment({ segment, into, isLast, incarnation, found, options });
  }
  if (found.tail.length > 0) await saveTail(found.tail, segments, options);
  const unresolved = [...found.unresolved.values()].filter(({ head }) => !isAcknowledged(found, head));
  incarnation.log.adopt(unresolved, found.acknowledged.list());
  for (const { number } of segments) incarnation.log.release(number);
  if (!found.closed) await incarnation.close();
  metrics.bootsRecovered.inc();
  logger.warn(
    { boot: options.id, segments: segments.length, batches: unresolved.length, closed: found.closed },
    'an earlier incarnation left batches in the spool: they are sent with their ids',
  );
  return incarnation;
}

/** The lines before a position must be durable before the position is. */
async function saveTail(
  positions: readonly TailPosition[],
  segments: readonly Segment[],
  { saveTail: save }: RecoverOptions,
): Promise<void> {
  if (save === undefined) return;
  for (const segment of segments) await segment.sync();
  await save(positions);
}

async function openSegments(directory: string, logger: Logger): Promise<Segment[]> {
  const numbers = (await readdir(directory))
    .map(segmentNumber)
    .filter((number) => number !== undefined)
    .toSorted((a, b) => a - b);
  const segments: Segment[] = [];
  for (const number of numbers) {
    try {
      segments.push(await Segment.openOld(directory, number));
    } catch (error) {
      logger.error({ err: error, directory, number }, 'a segment of the spool cannot be opened: it is kept');
    }
  }
  return segments;
}

/** The newest head that is not damaged. */
async function lastHead(
  segments: readonly Segment[],
): Promise<{ head: SegmentHead; accounts: Buffer; segment: number } | undefined> {
  for (const segment of segments.toReversed()) {
    const read = readSegmentHead(await segment.readAll());
    if (read !== undefined) return { ...read, segment: segment.number };
  }
  return undefined;
}

async function replaySegment(step: {
  readonly segment: Segment;
  readonly into: { readonly accounts: boolean; readonly windows: boolean };
  readonly isLast: boolean;
  readonly incarnation: Incarnation;
  readonly found: Found;
  readonly options: RecoverOptions;
}): Promise<void> {
  const { segment, into, isLast, incarnation, found, options } = step;
  const { logger, metrics } = options;
  for (const entry of decodeSegment(await segment.readAll())) {
    if (!('kind' in entry)) {
      const torn = entry.atEnd && isLast;
      metrics.spoolBadBytes.inc({ kind: torn ? 'torn_tail' : 'damaged' }, entry.bytes);
      const text = torn ? 'the log ends within an entry: it is cut off' : 'a range of the log is damaged';
      logger.warn({ path: segment.path, offset: entry.offset, bytes: entry.bytes }, text);
      continue;
    }
    if (entry.kind === 'mark') {
      const list: unknown = JSON.parse(entry.payload.toString('utf8'));
      if (Array.isArray(list)) noteAcknowledged(found, list as Acknowledged[]);
    }
    if (entry.kind === 'closed') found.closed = true;
    if (entry.kind !== 'batch') continue;
    const { head, body } = decodeBatch(entry.payload);
    if (head.tail !== undefined) found.tail.push(head.tail);
    incarnation.accounting.replay(head, body, segment.number, into);
    noteBatch(found, head, { segment: segment.number, offset: entry.offset, bytes: entry.bytes }, options);
    await nextTurn();
    options.signal?.throwIfAborted();
  }
}

function noteBatch(found: Found, head: BatchHead, location: Location, { keyedIds }: RecoverOptions): void {
  if (head.records === 0 && head.expiredRecords === undefined) return;
  const { boot, partition, sequence } = head.id;
  // The last location of a batch that was moved counts.
  found.unresolved.set(`${head.topic}/${boot}/${partition}/${sequence}`, { head, location });
  if (isKeyedBoot(boot)) keyedIds.remember(head.id, head.loggedMs);
}

function noteAcknowledged(found: Found, list: readonly Acknowledged[]): void {
  for (const each of list) found.acknowledged.note(each.topic, each);
}

function isAcknowledged(found: Found, { topic, id }: BatchHead): boolean {
  return !isKeyedBoot(id.boot) && found.acknowledged.has(topic, id);
}
