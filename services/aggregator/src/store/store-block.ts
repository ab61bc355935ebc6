/*
 * Stores one block: rows, dead letters, ledger row, commit, in this order, each step repeatable. Rows come first
 * because the store may refuse messages that only decoding shows to be unreadable: they become dead letters too. This is
 * the only place where calls to the store are tried again.
 */
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { Block, DeadMessage, StoredMessage } from '../blocks/block-cutter.js';
import {
  type BlockInsert,
  type BlockPlace,
  type LedgerRow,
  insertsOf,
  ledgerRowOf,
} from '../blocks/block-content.js';
import { classifyStoreError } from './store-errors.js';
import type { Stream } from '../blocks/streams.js';
import { classifyRecords } from '../blocks/classify-records.js';
import type { Timing } from './timing.js';

export type StoreBlockPorts = {
  readonly insert: (stream: Stream, insert: BlockInsert) => Promise<void>;
  readonly writeLedger: (row: LedgerRow) => Promise<void>;
  readonly writeDeadLetters: (place: BlockPlace, dead: readonly DeadMessage[]) => Promise<void>;
  /** Commits the offset after the block; does nothing where the partition was lost meanwhile. */
  readonly commit: (place: BlockPlace, block: Block) => Promise<void>;
  /** False once another member owns the partition: there is no point in continuing. */
  readonly owned: () => boolean;
  /** Called after every failed attempt, for metrics, logs and readiness. */
  readonly onTrouble: (error: unknown, verdict: 'retry' | 'halt') => void;
  readonly timing: Pick<Timing, 'delay' | 'random'>;
};

/** Thrown where the partition was lost while its block was being stored: the next owner stores the same. */
export class OwnershipLost extends Error {}

/**
 * @returns the block as it was stored: with messages moved to `dead` where the store could not read them
 * @throws OwnershipLost
 */
export async function storeBlock(
  stream: Stream,
  place: BlockPlace,
  cut: Block,
  ports: StoreBlockPorts,
): Promise<Block> {
  // 1. Rows, one insert for each schema. The token makes a repeated insert, ours or another owner's, harmless.
  const { block, inserts } = await insertRows(stream, place, cut, ports);
  // 2. Dead letters before the ledger: a message is recorded as dead only when it is safe elsewhere. A crash
  //    between the two writes it twice; its batch id makes it count once when it is redriven.
  if (block.dead.length > 0) await persist(() => ports.writeDeadLetters(place, block.dead), ports);
  // 3. The ledger row: from here on the block is stored, with or without the commit.
  const row = ledgerRowOf(place, block, inserts);
  await persist(() => ports.writeLedger(row), ports);
  // 4. The commit tells the next owner where to fetch from; without it the ledger does.
  await ports.commit(place, block);
  return block;
}

async function insertRows(
  stream: Stream,
  place: BlockPlace,
  block: Block,
  ports: StoreBlockPorts,
): Promise<{ block: Block; inserts: readonly BlockInsert[] }> {
  const inserts = insertsOf(place, block);
  for (const insert of inserts) {
    let readable = true;
    await persist(async () => {
      try {
        await ports.insert(stream, insert);
      } catch (error) {
        if (classifyStoreError(error) !== 'unreadable') throw error;
        readable = false;
      }
    }, ports);
    if (!readable) return insertRows(stream, place, await withoutPoison(block), ports);
  }
  return { block, inserts };
}

/** Inflated without a pause for heartbeats: a tenth of a second's work. */
const BYTES_AT_ONCE = 32 << 20;

/**
 * Messages are classified by their bytes alone: every message of the refused block is read to its last record here. A
 * refusal where all read well is a fault of ours or the store's, and no message is blamed for it.
 */
async function withoutPoison(block: Block): Promise<Block> {
  const poison: DeadMessage[] = [];
  const stored: StoredMessage[] = [];
  let bytes = 0;
  for (const each of block.stored) {
    const classified = classifyRecords(each.message);
    if (classified.ok) stored.push(each);
    else poison.push({ message: each.message, reason: classified.reason });
    bytes += classified.ok ? classified.plainBytes : BYTES_AT_ONCE;
    if (bytes >= BYTES_AT_ONCE && block.stored.length > 8) {
      await yieldToOthers();
      bytes = 0;
    }
  }
  if (poison.length === 0)
    throw new Error('the store cannot read a block whose messages all decode: see its log');
  const rows = stored.reduce((sum, { records }) => sum + records, 0);
  const dead = [...block.dead, ...poison].toSorted((a, b) => a.message.offset - b.message.offset);
  return { ...block, stored, rows, dead };
}

const BACKOFF_MS_MAX = 10_000;

/** Tries until it works or the partition is lost. Waits 100 ms to 10 s, with jitter. */
async function persist(call: () => Promise<void>, ports: StoreBlockPorts): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    if (!ports.owned()) throw new OwnershipLost();
    try {
      await call();
      return;
    } catch (error) {
      const verdict = classifyStoreError(error) === 'retry' ? 'retry' : 'halt';
      ports.onTrouble(error, verdict);
      // A halt needs an operator (table, rights, disk): repeated at the slowest pace, and readiness names the store.
      const ceilingMs = verdict === 'halt' ? BACKOFF_MS_MAX : Math.min(BACKOFF_MS_MAX, 100 * 2 ** attempt);
      await ports.timing.delay(ceilingMs * (0.5 + ports.timing.random() / 2));
    }
  }
}
