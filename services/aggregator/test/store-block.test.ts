import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClickHouseError } from '@clickhouse/client';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { writeBatchHeaders } from '@imscope/schemas/batch-headers.js';
import { wrapBlock } from '@imscope/schemas/container.js';
import { BatchIntervals } from '../src/blocks/batch-intervals.js';
import { type Block, BlockCutter, type LogMessage } from '../src/blocks/block-cutter.js';
import { OwnershipLost, type StoreBlockPorts, storeBlock } from '../src/store/store-block.js';
import { classifyStoreError } from '../src/store/store-errors.js';
import { REQUEST_LOG_STREAM } from '../src/blocks/streams.js';
import { LOG_TIME, logOf } from './log-of-messages.js';

const PLACE = { cluster: 'c', topic: 't', epoch: 0, partition: 0 };

function storeError(code: number): ClickHouseError {
  return new ClickHouseError({ message: `code ${code}`, code: String(code), type: 'TEST' });
}

function blockOf(messages: readonly LogMessage[]): Block {
  const bounds = { rowsMax: 1_000, bytesMax: 1e6 };
  const cutter = new BlockCutter(REQUEST_LOG_STREAM, { nextOffset: 0, bounds, seen: new BatchIntervals() });
  const pushed = [...messages, ...logOf([{ kind: 'marker' }], messages.length)]
    .map((message) => cutter.push(message))
    .at(-1);
  assert.ok(pushed?.kind === 'cut');
  return pushed.block;
}

const batches = logOf(
  [0, 1].map((sequence) => ({ kind: 'batch' as const, boot: 'boot0001', sequence, records: 5 })),
);

/** A message of valid form whose records are invalid: only decoding it shows that. */
const poison: LogMessage = (() => {
  const value = wrapBlock(REQUEST_LOG_SCHEMA, 3, Buffer.from('these are no records'));
  const headers = writeBatchHeaders({ boot: 'boot0002', partition: 0, sequence: 0 }, 3, value);
  return { offset: 2, appendedMs: LOG_TIME, value, headers };
})();

/** Ports that record every call, and fail as configured before they succeed. */
function ports(failures: { [call: string]: Error[] } = {}): { steps: string[]; ports: StoreBlockPorts } {
  const steps: string[] = [];
  const call = async (name: string, detail: string): Promise<void> => {
    steps.push(`${name} ${detail}`);
    const failure = failures[name]?.shift();
    if (failure !== undefined) throw failure;
  };
  return {
    steps,
    ports: {
      insert: (_stream, insert) => call('insert', String(insert.rows)),
      writeDeadLetters: (_place, dead) => call('dead', dead.map(({ reason }) => reason).join()),
      writeLedger: (row) => call('ledger', String(row.rows)),
      commit: (_place, block) => call('commit', String(block.lastOffset)),
      owned: () => true,
      onTrouble: (_error, verdict) => steps.push(`trouble ${verdict}`),
      timing: { delay: async () => undefined, random: () => 0 },
    },
  };
}

test('rows, ledger and commit come in this order', async () => {
  const { steps, ports: all } = ports();
  await storeBlock(REQUEST_LOG_STREAM, PLACE, blockOf(batches), all);
  assert.deepEqual(steps, ['insert 10', 'ledger 10', 'commit 2']);
});

test('an insert with a lost answer is repeated, and the ledger row waits for it', async () => {
  const { steps, ports: all } = ports({
    insert: [new Error('socket hang up'), storeError(241)],
    ledger: [storeError(209)],
  });
  await storeBlock(REQUEST_LOG_STREAM, PLACE, blockOf(batches), all);
  assert.deepEqual(steps, [
    'insert 10',
    'trouble retry',
    'insert 10',
    'trouble retry',
    'insert 10',
    'ledger 10',
    'trouble retry',
    'ledger 10',
    'commit 2',
  ]);
});

test('a message the store cannot read goes to the dead letters before the ledger, and the rest is stored', async () => {
  const { steps, ports: all } = ports({ insert: [storeError(33)] });
  const stored = await storeBlock(REQUEST_LOG_STREAM, PLACE, blockOf([...batches, poison]), all);
  assert.deepEqual(steps, ['insert 13', 'insert 10', 'dead bad_record', 'ledger 10', 'commit 3']);
  assert.deepEqual([stored.rows, stored.dead.length], [10, 1]);
});

test('a refusal of messages that all decode makes none of them a dead letter and ends in an error', async () => {
  const { steps, ports: all } = ports({ insert: [storeError(33)] });
  await assert.rejects(storeBlock(REQUEST_LOG_STREAM, PLACE, blockOf(batches), all), /all decode/);
  assert.deepEqual(steps, ['insert 10']);
});

test('a ledger row the store cannot read never counts as written', async () => {
  let asked = 0;
  const { ports: all } = ports();
  const refusing: StoreBlockPorts = {
    ...all,
    writeLedger: async () => {
      asked += 1;
      throw storeError(27);
    },
    owned: () => asked === 0,
    commit: async () => assert.fail('committed without a ledger row'),
  };
  await assert.rejects(storeBlock(REQUEST_LOG_STREAM, PLACE, blockOf(batches), refusing), OwnershipLost);
});

test('the store’s error code decides between repeating, splitting and halting', () => {
  assert.equal(classifyStoreError(new Error('ECONNRESET')), 'retry');
  for (const code of [159, 202, 210, 241, 252, 319])
    assert.equal(classifyStoreError(storeError(code)), 'retry');
  for (const code of [27, 33, 117, 748, 1001])
    assert.equal(classifyStoreError(storeError(code)), 'unreadable');
  const partitions = 'Too many partitions for single INSERT block (more than 1000)';
  assert.equal(classifyStoreError(new ClickHouseError({ message: partitions, code: '252' })), 'unreadable');
  for (const code of [60, 243, 497, 16]) assert.equal(classifyStoreError(storeError(code)), 'halt');
});
