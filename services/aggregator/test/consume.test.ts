import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type AggregatorUnderTest, openAggregator } from './aggregator-under-test.js';

let aggregator: AggregatorUnderTest;
/** Rows that must be stored so far. */
let rows = 0;

before(async () => {
  aggregator = await openAggregator();
});
after(async () => aggregator.end());

type RecordedBlock = { epoch: number; first_offset: number; last_offset: number; duplicate_messages: number };

async function ledger(): Promise<RecordedBlock[]> {
  return aggregator.select<RecordedBlock>(
    `SELECT epoch, first_offset, last_offset, duplicate_messages FROM block_ledger FINAL
      WHERE topic = '${aggregator.topic}' ORDER BY epoch, first_offset`,
  );
}

test('an owner that starts after another one knows the batches that were stored before it', async () => {
  rows += await aggregator.append('boot0001', [0, 1, 2, 3]);
  const first = await aggregator.start();
  await aggregator.untilStored(rows);
  await first.stop();
  await aggregator.append('boot0001', [1, 3]);
  rows += await aggregator.append('boot0001', [4]);
  const second = await aggregator.start();
  await aggregator.untilStored(rows);
  await second.stop();
  const recorded = await ledger();
  assert.equal(
    recorded.reduce((sum, row) => sum + row.duplicate_messages, 0),
    2,
  );
  recorded.forEach((row, index) =>
    assert.equal(row.first_offset, (recorded[index - 1]?.last_offset ?? -1) + 1),
  );
});

test('a block of nothing but duplicates is recorded and committed to the end of the log', async () => {
  await aggregator.append('boot0001', [0, 2]);
  const before = await ledger();
  const member = await aggregator.start();
  while ((await ledger()).length === before.length) await new Promise((resolve) => setTimeout(resolve, 50));
  await member.stop();
  assert.equal((await ledger()).at(-1)?.duplicate_messages, 2);
});

test('a topic created again while no aggregator ran is read from its beginning, longer than the old one or not', async () => {
  const ends = (await ledger()).at(-1)?.last_offset ?? assert.fail('nothing is recorded');
  await aggregator.recreateTopic();
  rows += await aggregator.append(
    'boot0002',
    Array.from({ length: ends + 5 }, (_, sequence) => sequence),
  );
  const longer = await aggregator.start();
  await aggregator.untilStored(rows);
  await longer.stop();
  await aggregator.recreateTopic();
  // Stored in the topic before the last: not again.
  await aggregator.append('boot0001', [2]);
  rows += await aggregator.append('boot0003', [0]);
  const shorter = await aggregator.start();
  await aggregator.untilStored(rows);
  await shorter.stop();
  assert.deepEqual([...new Set((await ledger()).map(({ epoch }) => epoch))], [0, 1, 2]);
});

test('a topic created again under a running aggregator is read from its beginning', async () => {
  const member = await aggregator.start();
  rows += await aggregator.append('boot0004', [0, 1]);
  await aggregator.untilStored(rows);
  await aggregator.recreateTopic();
  rows += await aggregator.append('boot0005', [0, 1, 2]);
  await aggregator.untilStored(rows);
  await member.stop();
});
