/* The dead-letter topic with transactions of others in it: the commands neither wait for ever nor leave letters out. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TOPICS } from '@imscope/schemas/topics.js';
import { type AggregatorUnderTest, openAggregator, until } from '../aggregator-under-test.js';
import { type Ended, runDlqCommand } from './dlq-command.js';
import { openTransactions, type Transactions } from '../transactions.js';

let aggregator: AggregatorUnderTest;
let transactions: Transactions;
let topic: string;

before(async () => {
  aggregator = await openAggregator();
  transactions = openTransactions(aggregator.environment['KAFKA_BROKERS'] ?? '');
  topic = (aggregator.environment['KAFKA_TOPIC_PREFIX'] ?? '') + TOPICS.deadLetter.name;
});
after(async () => {
  await transactions.close();
  await aggregator.end();
});

function dlq(...args: string[]): Promise<Ended> {
  return runDlqCommand(aggregator, args);
}

/** Poison goes through an aggregator to the dead letters. */
async function letter(): Promise<void> {
  await aggregator.producer.send({
    topic: aggregator.topic,
    acks: -1,
    messages: [{ partition: 0, value: 'poison' }],
  });
}

async function dead(count: number): Promise<void> {
  const member = await aggregator.start();
  await until(async () => {
    const [row] = await aggregator.select<{ dead: number }>(
      'SELECT sum(dead_messages) AS dead FROM block_ledger FINAL',
    );
    return row?.dead === count;
  }, `${count} dead messages are not recorded`);
  await member.stop();
}

test('letters between transactions, and before a topic’s end that holds none, are listed and shown', async () => {
  await transactions.run(topic, 'abort', 'a', 'b');
  await letter();
  await dead(1);
  await transactions.run(topic, 'abort', 'c');
  const list = await dlq('dlq-ls', '--json');
  assert.deepEqual([list.code, list.error], [0, '']);
  assert.deepEqual(
    list.out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { reason: string; offset: number }).reason),
    ['bad_magic'],
  );
  const shown = await dlq('dlq-show', '0:3');
  assert.deepEqual([shown.code, shown.error], [0, '']);
  const hole = await dlq('dlq-show', '0:0');
  assert.equal(hole.code, 1);
  assert.match(hole.error, /no dead letter 0:0: its offset holds no message/);
});

test('letters that an open transaction holds back are named instead of left out', async () => {
  const transaction = await transactions.begin(topic);
  await transaction.send('open');
  await letter();
  await dead(2);
  const list = await dlq('dlq-ls', '--json');
  assert.equal(list.code, 1);
  assert.equal(list.out.trim().split('\n').length, 1);
  assert.match(list.error, /0:6 to 0:7 cannot be read: an open transaction holds them back/);
  const redriven = await dlq('dlq-redrive', '--all', '--dry-run');
  assert.equal(redriven.code, 1);
  assert.match(redriven.error, /an open transaction/);
  await transaction.abort();
  const all = await dlq('dlq-ls', '--json');
  assert.deepEqual([all.code, all.out.trim().split('\n').length], [0, 2]);
});
