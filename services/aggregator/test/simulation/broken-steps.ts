/*
 * Aggregators with one step broken on purpose, to see that the simulation notices: each leaves out, forgets or turns
 * round what one of the promises rests on. Some are faults that were in the code once.
 */
import { BatchIntervals, REMEMBERED_MS } from '../../src/blocks/batch-intervals.js';
import type { BlockInsert } from '../../src/blocks/block-content.js';
import type { BrokerPorts, LoopContext } from '../../src/consume/loop-context.js';
import type { StorePorts } from '../../src/store/store-ports.js';
import { storeBlock } from '../../src/store/store-block.js';
import type { Breakage, BreakBatch } from './simulated-process.js';

export type BrokenStep = {
  readonly title: string;
  readonly breakage?: Breakage;
  readonly breakBatch?: BreakBatch;
  /** What the run must say. */
  readonly finds: RegExp;
  /** The seed to begin with, where a fault shows but in one of hundreds of runs; 1 where left out. */
  readonly from?: number;
};

function withStore(parts: LoopContext, store: Partial<StorePorts>): LoopContext {
  return { ...parts, store: { ...parts.store, ...store } };
}

function withBroker(parts: LoopContext, broker: Partial<BrokerPorts>): LoopContext {
  return { ...parts, broker: { ...parts.broker, ...broker } };
}

/** A token is cluster, topic, epoch, partition, first and last offset, fingerprint. */
function withToken(change: (fields: readonly string[]) => string): Breakage {
  return (parts) =>
    withStore(parts, {
      insert: (stream, insert) => {
        const changed: BlockInsert = { ...insert, token: change(insert.token.split(':')) };
        return parts.store.insert(stream, changed);
      },
    });
}

const without =
  (index: number) =>
  (fields: readonly string[]): string =>
    fields.toSpliced(index, 1).join(':');

class Forgetful extends BatchIntervals {
  override has(): boolean {
    return false;
  }
}

const STEPS_OF_INSERTS: readonly BrokenStep[] = [
  { title: 'inserts without a token', breakage: withToken(() => ''), finds: /is stored [2-9] times/ },
  {
    title: 'a store that forgets tokens before the last retry',
    breakage: (parts, world) => {
      world.store.windowBlocks = 0;
      return parts;
    },
    finds: /is stored [2-9] times/,
  },
  {
    title: 'a token without the schema’s fingerprint',
    breakage: withToken(without(6)),
    finds: /is not stored/,
  },
  { title: 'a token without the partition', breakage: withToken(without(3)), finds: /is not stored/ },
  { title: 'a token without the epoch', breakage: withToken(without(2)), finds: /is not stored/ },
  {
    title: 'rows without their block and their place in it',
    breakage: (parts) =>
      withStore(parts, {
        insert: (stream, insert) => parts.store.insert({ ...stream, blockColumns: false }, insert),
      }),
    finds: /rows of block 0 are not in the ledger/,
  },
  {
    title: 'a lost answer that counts as a success',
    breakage: (parts) =>
      withStore(parts, {
        insert: async (stream, insert) => parts.store.insert(stream, insert).catch(() => undefined),
      }),
    finds: /is not stored/,
  },
];

const STEPS_IN_ORDER: readonly BrokenStep[] = [
  {
    title: 'a commit before the insert',
    breakage: (parts) => ({
      ...parts,
      storeBlock: async (stream, place, cut, ports) => {
        await ports.commit(place, cut);
        return storeBlock(stream, place, cut, ports);
      },
    }),
    finds: /is not stored|blocks recorded/,
  },
  {
    title: 'a ledger row before the insert',
    breakage: (parts) => ({
      ...parts,
      storeBlock: async (stream, place, cut, ports) => {
        const waiting: (() => Promise<void>)[] = [];
        const stored = await storeBlock(stream, place, cut, {
          ...ports,
          insert: async (...insert) => void waiting.push(async () => ports.insert(...insert)),
        });
        for (const insert of waiting) await insert().catch(async () => insert());
        return stored;
      },
    }),
    finds: /is not stored/,
  },
  {
    title: 'a skipped ledger',
    breakage: (parts) => withStore(parts, { writeLedger: async () => undefined }),
    finds: /blocks recorded/,
  },
  {
    title: 'dead letters that are only counted',
    breakage: (parts) => withBroker(parts, { writeDeadLetters: async () => undefined }),
    finds: /dead letters/,
  },
];

const STEPS_OF_STARTS: readonly BrokenStep[] = [
  {
    title: 'bounds out of the settings instead of the log',
    breakage: (parts) =>
      withStore(parts, {
        readPosition: async (place) => {
          const position = await parts.store.readPosition(place);
          return position === undefined ? undefined : { ...position, bounds: parts.options.bounds };
        },
      }),
    finds: /offsets|bounds/,
  },
  {
    title: 'duplicates that are not dropped',
    breakage: (parts) =>
      withStore(parts, {
        readSeen: async (place, range) => ({
          ...(await parts.store.readSeen(place, range)),
          seen: new Forgetful(),
        }),
      }),
    finds: /is stored [2-9] times/,
  },
  {
    title: 'an owner that does not ask which batches were stored before it',
    breakage: (parts) =>
      withStore(parts, {
        readSeen: async (_place, { beforeOffset }) => ({
          seen: new BatchIntervals(),
          nextOffset: beforeOffset,
        }),
      }),
    finds: /is stored [2-9] times/,
  },
  {
    title: 'batches remembered from after the place too, where another owner just recorded them',
    breakage: (parts) =>
      withStore(parts, {
        readSeen: async (place, range) => ({
          ...(await parts.store.readSeen(place, { ...range, beforeOffset: Infinity })),
          nextOffset: range.beforeOffset,
        }),
      }),
    finds: /duplicates \[[1-9].*expected/,
    from: 450,
  },
  {
    title: 'batches remembered over 73 hours of the clock instead of the log',
    breakage: (parts) =>
      withStore(parts, {
        readSeen: async (place, range) => ({
          ...(await parts.store.readSeen(place, { ...range, sinceMs: parts.timing.nowMs() - REMEMBERED_MS })),
          nextOffset: range.beforeOffset,
        }),
      }),
    finds: /is stored 2 times/,
  },
  {
    title: 'batches of a topic’s earlier life forgotten by the second owner of the next',
    breakage: (parts, world) =>
      withStore(parts, {
        readSeen: async (place, range) => {
          const answer = await parts.store.readSeen(place, range);
          const seen = new BatchIntervals();
          for (const row of world.store.ledger()) {
            const ofThisLife = row.partition === place.partition && row.epoch === place.epoch;
            if (!ofThisLife || row.last_offset >= range.beforeOffset) continue;
            for (const { boot, first_sequence, last_sequence } of row.batches) {
              seen.add(boot, first_sequence, last_sequence, row.last_appended);
            }
          }
          return { ...answer, seen };
        },
      }),
    finds: /is stored 2 times/,
  },
  {
    title: 'a list of batches that a lagging replica cut short',
    breakage: (parts) =>
      withStore(parts, {
        readSeen: async (place, range) => ({
          ...(await parts.store.readSeen(place, range)),
          nextOffset: range.beforeOffset,
        }),
      }),
    finds: /is stored 2 times/,
    from: 450,
  },
  {
    title: 'a start from the commit alone',
    breakage: (parts) => withStore(parts, { readPosition: async () => undefined }),
    finds: /are not in the ledger|is stored/,
  },
  {
    title: 'a commit of an earlier epoch that counts in this one',
    breakage: (parts) =>
      withBroker(parts, {
        readCommitted: async (at) => {
          const committed = await parts.broker.readCommitted(at);
          const position = await parts.store.readPosition({ cluster: parts.cluster, ...at });
          if (committed === undefined) return undefined;
          return { ...committed, metadata: committed.metadata.replace(/^\d+/, String(position?.epoch ?? 0)) };
        },
      }),
    finds: /blocks recorded|offsets|is not stored/,
  },
  {
    title: 'a recreated topic that is recognised by its end alone',
    breakage: (parts) =>
      withBroker(parts, {
        readLogSpan: async (at) => ({ ...(await parts.broker.readLogSpan(at)), start: Infinity }),
      }),
    finds: /blocks recorded|is not stored/,
  },
  {
    title: 'a log’s end that was asked before the ledger',
    breakage: (parts) => {
      const ends = new Map<number, Promise<{ start: number; end: number }>>();
      const broken = withStore(parts, {
        readPosition: async (place) => {
          const before = await parts.broker.readLogSpan(place);
          ends.set(place.partition, Promise.resolve(before));
          return parts.store.readPosition(place);
        },
      });
      return withBroker(broken, {
        readLogSpan: async (at) => ends.get(at.partition) ?? parts.broker.readLogSpan(at),
      });
    },
    finds: /epochs are recorded|blocks recorded/,
    from: 350,
  },
];

const STEPS_OVER_HOLES: readonly BrokenStep[] = [
  {
    title: 'messages that were skipped and count as a hole',
    breakBatch: (batch) => ({ ...batch, fetchedFrom: 0 }),
    finds: /is not stored/,
  },
  {
    title: 'a hole that counts as messages that were skipped, and batches of holes that are never handed out',
    breakBatch: (batch) => {
      const [first] = batch.messages;
      return first === undefined ? undefined : { ...batch, fetchedFrom: first.offset };
    },
    finds: /not at rest/,
  },
  {
    title: 'an aborted message that counts as a committed one',
    breakBatch: (batch, { messages, holes }) => ({
      ...batch,
      messages: messages.filter(
        ({ offset }) =>
          offset >= batch.firstOffset &&
          offset < batch.coveredTo &&
          (holes.get(offset) ?? 'aborted') === 'aborted',
      ),
    }),
    finds: /dead letters|blocks recorded|offsets|is stored/,
  },
  {
    title: 'a block that starts at its first message instead of after the block before it',
    breakage: (parts) => ({
      ...parts,
      storeBlock: async (stream, place, cut, ports) => {
        const messages = [...cut.stored, ...cut.dead].map(({ message }) => message.offset);
        return storeBlock(
          stream,
          place,
          { ...cut, firstOffset: Math.min(...messages, cut.lastOffset) },
          ports,
        );
      },
    }),
    finds: /offsets/,
  },
  {
    title: 'a hole that is recorded as a loss',
    breakage: (parts) => ({
      ...parts,
      storeBlock: async (stream, place, cut, ports) => {
        const deletedOffsets = cut.lastOffset - cut.firstOffset + 1 - cut.messages;
        return storeBlock(stream, place, { ...cut, deletedOffsets }, ports);
      },
    }),
    finds: /: messages /,
  },
  {
    title: 'a loss that is recorded as a hole',
    breakage: (parts) => ({
      ...parts,
      storeBlock: async (stream, place, cut, ports) =>
        storeBlock(stream, place, { ...cut, deletedOffsets: 0 }, ports),
    }),
    finds: /: messages /,
  },
];

export const BROKEN_STEPS: readonly BrokenStep[] = [
  ...STEPS_OVER_HOLES,
  ...STEPS_OF_INSERTS,
  ...STEPS_IN_ORDER,
  ...STEPS_OF_STARTS,
];
