/*
 * Where a new owner of a partition starts: after the ledger's last block, with the batches recorded up to there.
 * It depends on one state of the ledger, however that changes meanwhile, and on the log as it is afterwards.
 * A log whose message at the ledger's last offset is another one is another log: a new epoch begins, in which batches
 * of the old one stay known. So a log that only lost its end in a broker's failure is read again and stores nothing twice.
 */
import {
  type BlockBounds,
  INITIAL_BOUNDS,
  formatBounds,
  parseBounds,
} from '@imscope/schemas/block-bounds.js';
import { BatchIntervals, REMEMBERED_MS } from '../blocks/batch-intervals.js';
import type { PartitionPlace } from '../blocks/block-content.js';
import type { LedgerPosition } from '../store/ledger.js';
import type { StorePorts } from '../store/store-ports.js';
import type { BrokerPorts, Committed, FetchedMessages } from './loop-context.js';
import { KEYED_KNOWN_MS } from '../blocks/keyed-batches.js';
import type { Timing } from '../store/timing.js';

export type Start = {
  readonly epoch: number;
  readonly nextOffset: number;
  readonly bounds: BlockBounds;
  readonly seen: BatchIntervals;
  /** Up to there an earlier owner found no messages: see `PartitionWorker.commitHoles`. */
  readonly readTo: number;
};

/** `fetch_first`: the message at this offset must be fetched first, to know that the log is still the same. */
export type FoundStart =
  | { readonly kind: 'start'; readonly start: Start }
  | { readonly kind: 'fetch_first'; readonly offset: number };

export type ResumePorts = {
  readonly broker: Pick<BrokerPorts, 'readCommitted' | 'readLogSpan'>;
  readonly store: Pick<StorePorts, 'readPosition' | 'readSeen'>;
  readonly timing: Timing;
};

/** A replica of the store that lags is given this long to catch up: `READS_MAX` times `REREAD_MS`. */
const READS_MAX = 10;
const REREAD_MS = 1_000;

/**
 * A commit follows its ledger row, so one that is ahead of the ledger, or a list of batches that does not reach up to
 * the position, comes from a replica that lags: it is read again. If that changes nothing the ledger was lost, and
 * the commit is used.
 * @param fetched from the log, in which the message at the ledger's last offset is searched
 */
export async function findStart(
  ports: ResumePorts,
  place: PartitionPlace,
  fetched: FetchedMessages,
): Promise<FoundStart> {
  for (let reads = 1; ; reads++) {
    const position = await ports.store.readPosition(place);
    // Read after the ledger: another owner may have continued meanwhile, and an older end would be before its position.
    const span = await ports.broker.readLogSpan(place);
    const compared = position === undefined ? 'same' : compareLog(position, span, fetched);
    if (position !== undefined && compared === 'fetch_first')
      return { kind: 'fetch_first', offset: position.lastOffset };
    const { complete, ...start } = await readStart(ports, place, position);
    if (compared === 'other' && (complete || reads === READS_MAX)) {
      return { kind: 'start', start: { ...atBeginning(start.epoch + 1), seen: start.seen } };
    }
    const committed = parseCommit(await ports.broker.readCommitted(place));
    const ahead =
      compared === 'same' &&
      committed !== undefined &&
      (committed.epoch === start.epoch || position === undefined) &&
      committed.nextOffset > start.nextOffset &&
      committed.nextOffset <= span.end
        ? committed
        : undefined;
    if (complete && compared === 'same' && ahead === undefined) {
      return { kind: 'start', start: withHolesRead(start, committed) };
    }
    if (reads === READS_MAX) return { kind: 'start', start: { ...start, ...ahead } };
    await ports.timing.delay(REREAD_MS);
  }
}

/**
 * Up to where the log was read after the last block, where the commit is of that block. Only that: bounds of a marker that
 * was deleted since do not apply to any later start, whatever commit is there, so that all cut the same blocks.
 */
function withHolesRead(start: Start, committed: ReturnType<typeof parseCommit>): Start {
  const same = committed?.epoch === start.epoch && committed.nextOffset === start.nextOffset;
  return same ? { ...start, readTo: committed.readTo } : start;
}

/** Whether the log is the one in the ledger, by when its message at the last offset was appended. */
function compareLog(
  { lastOffset, lastAppendedMs }: LedgerPosition,
  span: { start: number; end: number },
  { messages, fetchedFrom, coveredTo }: FetchedMessages,
): 'same' | 'other' | 'fetch_first' {
  if (span.end <= lastOffset) return 'other';
  // Deleted by retention, which a new log reaches only after as long a time.
  if (span.start > lastOffset) return 'same';
  const last = messages.find(({ offset }) => offset === lastOffset);
  // A block ends at a message, so a hole there (a transaction's end, an aborted message) is another log.
  if (last === undefined)
    return fetchedFrom <= lastOffset && lastOffset < coveredTo ? 'other' : 'fetch_first';
  return last.appendedMs === lastAppendedMs ? 'same' : 'other';
}

function atBeginning(epoch: number): Start {
  return { epoch, nextOffset: 0, bounds: INITIAL_BOUNDS, seen: new BatchIntervals(), readTo: 0 };
}

async function readStart(
  ports: ResumePorts,
  place: PartitionPlace,
  position: LedgerPosition | undefined,
): Promise<Start & { complete: boolean }> {
  if (position === undefined) return { ...atBeginning(0), complete: true };
  const { epoch } = position;
  const nextOffset = position.lastOffset + 1;
  // Only blocks before the place: another owner may record the next one while we read, and its batches would then
  // count as duplicates of themselves. The term runs in the log's time, so that a late reader remembers as much.
  const { lastAppendedMs } = position;
  const read = await ports.store.readSeen(
    { ...place, epoch },
    {
      beforeOffset: nextOffset,
      sinceMs: lastAppendedMs - REMEMBERED_MS,
      keyedSinceMs: lastAppendedMs - KEYED_KNOWN_MS,
    },
  );
  const complete = read.nextOffset === nextOffset;
  return { epoch, nextOffset, bounds: position.bounds, seen: read.seen, readTo: nextOffset, complete };
}

/** Up to where everything is stored by a commit: its offset, or the end of the holes after it. */
export function storedUpTo(committed: Committed): number {
  return Math.max(committed.offset, parseCommit(committed)?.readTo ?? 0);
}

/**
 * The metadata of a commit: epoch and bounds in force after it, and up to where no message follows. Versions that do
 * not know the last part ignore such a commit and use the ledger.
 */
export function formatCommit(epoch: number, bounds: BlockBounds, readTo?: number): string {
  return `${epoch}/${formatBounds(bounds)}${readTo === undefined ? '' : `/${readTo}`}`;
}

function parseCommit(
  committed: Committed | undefined,
): { epoch: number; nextOffset: number; bounds: BlockBounds; readTo: number } | undefined {
  const match =
    committed === undefined ? null : /^(\d{1,9})\/([^/]+)(?:\/(\d{1,16}))?$/.exec(committed.metadata);
  const bounds = parseBounds(match?.[2] ?? '');
  if (committed === undefined || bounds === undefined) return undefined;
  const { offset: nextOffset } = committed;
  return { epoch: Number(match?.[1]), nextOffset, bounds, readTo: Number(match?.[3] ?? nextOffset) };
}
