import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { keyedBoot, writeBatchHeaders } from '@imscope/schemas/batch-headers.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import type { LetterLine } from '../../src/dlq/list-letters.js';
import { type AggregatorUnderTest, openAggregator } from '../aggregator-under-test.js';
import { batchMessage } from '../log-of-messages.js';
import { type Ended, runDlqCommand } from './dlq-command.js';
import { block } from './poison-messages.js';

const NOW = Date.now();
const DAY_MS = 86_400_000;
const KEYED = keyedBoot(Buffer.alloc(20, 7));

type Message = { readonly value: Buffer | null; readonly headers: Record<string, string> };

let aggregator: AggregatorUnderTest;
let letters: LetterLine[] = [];
const directory = mkdtempSync(join(tmpdir(), 'imscope-dlq-'));

function batch(boot: string, sequence: number, time = NOW): Message & { readonly value: Buffer } {
  return batchMessage({ boot, sequence, records: 10 }, 0, { least: time, greatest: time });
}

const WRONG_CRC = batch('boot0001', 0);
const garbage = block(3, Buffer.from('not packed at all, really not'));

/** By name, in the order they are sent in. */
const POISON: Readonly<Record<string, Message>> = {
  wrongCrc: { ...WRONG_CRC, headers: { ...WRONG_CRC.headers, 'imscope-crc32': '1' } },
  keyed: { ...batch(KEYED, 0), headers: { ...batch(KEYED, 0).headers, 'imscope-count': '7' } },
  garbage: {
    value: garbage,
    headers: writeBatchHeaders({ boot: 'boot0001', partition: 0, sequence: 1 }, 3, garbage),
  },
  unnamed: { ...batch('boot0001', 2), headers: {} },
  nothing: { value: null, headers: {} },
};

async function send(topic: string, message: Message): Promise<void> {
  await aggregator.producer.send({ topic, acks: -1, messages: [{ partition: 0, ...message }] });
}

function dlq(...args: string[]): Promise<Ended> {
  return runDlqCommand(aggregator, args);
}

async function list(): Promise<LetterLine[]> {
  const { code, out } = await dlq('dlq-ls', '--json');
  assert.equal(code, 0);
  return out
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LetterLine);
}

function placeOf(name: keyof typeof POISON): string {
  return letters[Object.keys(POISON).indexOf(name)]?.place ?? assert.fail(name);
}

/** Starts an aggregator, waits until so many rows are stored, and stops it. */
async function store(rows: number): Promise<void> {
  const member = await aggregator.start();
  await aggregator.untilStored(rows);
  await member.stop();
}

async function logEnd(): Promise<number> {
  const [offsets] = await aggregator.admin.fetchTopicOffsets(aggregator.topic);
  return Number(offsets?.high);
}

before(async () => {
  aggregator = await openAggregator();
  for (const message of Object.values(POISON)) await send(aggregator.topic, message);
  await send(aggregator.topic, batch('boot0009', 0));
  await store(10);
  letters = await list();
});
after(async () => {
  await aggregator.end();
  rmSync(directory, { recursive: true });
});

test('ls shows each letter’s reason, origin, batch, claim and size, and a summary', async () => {
  const reported = letters.map(({ reason, topic, offset, records }) => [reason, topic, offset, records]);
  const { topic } = aggregator;
  assert.deepEqual(reported, [
    ['bad_crc', topic, 0, 10],
    ['count_mismatch', topic, 1, 7],
    ['bad_packing', topic, 2, 3],
    ['missing_header', topic, 3, null],
    ['empty_message', topic, 4, null],
  ]);
  assert.equal(letters[0]?.batch, 'boot0001:0:0');
  assert.equal(letters[0]?.bytes, WRONG_CRC.value.length);
  const { out } = await dlq('dlq-ls', '--limit', '2');
  assert.match(out, /missing_header.*\n.*empty_message/);
  assert.match(out, /3 older ones are not shown/);
  assert.match(out, /^bad_crc +1 letter  10 records claimed$/m);
  assert.match(
    (await dlq('dlq-ls', '--reason=none')).out,
    /^None of 5 dead letters is chosen by the filter\.$/m,
  );
  assert.match((await dlq('dlq-ls', '--topic=im.request-log', '--since=1h')).out, /bad_crc/);
  assert.match(
    (await dlq('dlq-ls', '--since=2100-01-01')).out,
    /^None of 5 dead letters is chosen by the filter\.$/m,
  );
});

test('wrong arguments end with 2 and say what is allowed, a place without a letter with 1', async () => {
  for (const [args, code, said] of [
    [['dlq-ls', '--limit=0'], 2, /whole number from 1 to 10000/],
    [['dlq-ls', '--since=yesterday'], 2, /give 30m, 6h, or a time/],
    [['dlq-ls', '--unknown'], 2, /Unknown option/],
    [['dlq-show'], 2, /PARTITION:OFFSET/],
    [['dlq-show', '17'], 2, /"17" is no place/],
    [['dlq-show', '0:999'], 1, /no dead letter 0:999: partition 0 holds 0:0 to 0:4/],
    [['dlq-show', '5:0'], 1, /there is no partition 5/],
    [['dlq-redrive'], 2, /or give --all/],
    [['dlq-redrive', '0:1', '--all'], 2, /not both/],
    [['dlq-redrive', '0:1', '--reason=bad_crc'], 2, /choose among --all/],
    [['dlq-redrive', '0:999'], 1, /no dead letter 0:999/],
  ] as const) {
    const ended = await dlq(...args);
    assert.equal(ended.code, code, args.join(' '));
    assert.match(ended.error, said);
  }
});

test('a broker that is away, and topics that are not there, end with 1 and say so', async () => {
  for (const [changed, said] of [
    [{ KAFKA_TOPIC_PREFIX: 'no-such-prefix.' }, /there is no topic no-such-prefix\.im\.dead-letter/],
    [{ KAFKA_BROKERS: '127.0.0.1:1' }, /ECONNREFUSED/],
  ] as const) {
    const environment = { ...aggregator.environment, ...changed };
    const { code, error } = await runDlqCommand({ environment }, ['dlq-ls']);
    assert.equal(code, 1);
    assert.match(error, said);
  }
});

test('show says what is wrong and where, dumps bytes, masks addresses and writes the bytes for their owner only', async () => {
  const file = join(directory, 'letter.avro');
  const shown = await dlq('dlq-show', placeOf('wrongCrc'), `--bytes=${file}`);
  assert.equal(shown.code, 0);
  assert.match(shown.out, /bad_crc: the checksum of its bytes is \d+, its header says another/);
  assert.match(shown.out, /decodes completely, 10 records: `redrive --mend`/);
  assert.match(shown.out, /^ +\d+ {2}([0-9a-f]{2} ){8} [0-9a-f ]+ {2}\|.{16}\|$/m);
  assert.match(shown.out, /first 5 records of 10/);
  assert.match(shown.out, /"exit_ip":"101:101:101::\/48"/);
  assert.deepEqual(readFileSync(file), WRONG_CRC.value);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  writeFileSync(file, 'mine');
  assert.match((await dlq('dlq-show', placeOf('wrongCrc'), `--bytes=${file}`)).error, /EEXIST/);
  assert.equal(readFileSync(file, 'utf8'), 'mine');
  const corrupt = await dlq('dlq-show', placeOf('garbage'));
  assert.match(corrupt.out, /bad_packing: byte \d+, block 1: it cannot be unpacked as zstandard/);
  assert.match(corrupt.out, /no record can be decoded/);
  assert.match((await dlq('dlq-show', placeOf('nothing'))).out, /empty_message: it has no bytes/);
});

test('a letter that cannot be redriven is refused with a reason and stays', async () => {
  const end = await logEnd();
  const ended = await dlq('dlq-redrive', '--all');
  assert.equal(ended.code, 1);
  const refusals = Object.fromEntries(
    [...ended.out.matchAll(/^(\d+:\d+) +refused +(\w+): (\w+)/gm)].map(([, place, reason, why]) => [
      place,
      [reason, why],
    ]),
  );
  assert.deepEqual(refusals, {
    [placeOf('wrongCrc')]: ['mendable', 'bad_crc'],
    [placeOf('keyed')]: ['mendable', 'count_mismatch'],
    [placeOf('garbage')]: ['unreadable', 'bad_packing'],
    [placeOf('unnamed')]: ['no_batch_id', 'its'],
    [placeOf('nothing')]: ['unreadable', 'it'],
  });
  assert.match(ended.out, /^5 letters: .*2 refused \(mendable\)/m);
  const dry = await dlq('dlq-redrive', '--mend', '--dry-run', placeOf('wrongCrc'));
  assert.deepEqual([dry.code, /would redrive/.test(dry.out)], [0, true]);
  assert.equal(await logEnd(), end);
});

test('a letter redriven twice counts once, by the log, the aggregator or the ledger', async () => {
  const [crc, keyed] = [placeOf('wrongCrc'), placeOf('keyed')];
  const first = await dlq('dlq-redrive', '--mend', crc, keyed, crc);
  assert.equal(first.code, 0, first.out);
  assert.equal(first.out.match(/redriven +10 records to .* with new headers/g)?.length, 2);
  // No aggregator has read it yet. It remembers the first one for good, a keyed batch for an hour.
  const second = await dlq('dlq-redrive', '--mend', crc, keyed);
  assert.match(second.out, new RegExp(`^${crc} +redriven`, 'm'));
  assert.match(second.out, new RegExp(`^${keyed} +waiting`, 'm'));
  await store(30);
  const third = await dlq('dlq-redrive', '--mend', '--all', '--reason=bad_crc');
  assert.deepEqual([third.code, /stored +its batch is in the ledger/.test(third.out)], [0, true]);
  const fourth = await dlq('dlq-redrive', '--mend', '--json', keyed);
  assert.deepEqual(JSON.parse(fourth.out), { place: keyed, died_of: 'count_mismatch', outcome: 'stored' });
  const [stored] = await aggregator.select<{ rows: number; ids: number; duplicates: number }>(
    `SELECT count() AS rows, uniqExact(request_id) AS ids,
      (SELECT sum(duplicate_rows) FROM block_ledger FINAL) AS duplicates FROM request_log`,
  );
  assert.deepEqual(stored, { rows: 30, ids: 30, duplicates: 10 });
});

test('letters without a target are refused: no origin or a removed one, a foreign topic, records beyond their term', async () => {
  const deadLetters = aggregator.topic.replace(TOPICS.requestLog.name, TOPICS.deadLetter.name);
  const dead = (topic: string, partition: number, appendedMs = NOW): Record<string, string> => ({
    'imscope-dead-reason': 'bad_magic',
    'imscope-dead-topic': topic,
    'imscope-dead-partition': String(partition),
    'imscope-dead-offset': '5',
    'imscope-dead-appended': String(appendedMs),
  });
  const old = (days: number): Message => batch('boot0007', days, NOW - days * DAY_MS);
  const late = { ...old(2), headers: { ...old(2).headers, ...dead(aggregator.topic, 0, NOW - DAY_MS) } };
  const metrics = aggregator.topic.replace(TOPICS.requestLog.name, TOPICS.interfaceMetric.name);
  const letters: readonly [string, Message][] = [
    ['no_origin', batch('boot0007', 0)],
    ['unknown_topic', { ...batch('boot0007', 0), headers: dead(deadLetters, 0) }],
    ['partition_gone', { ...batch('boot0007', 0), headers: dead(aggregator.topic, 7) }],
    ['unreadable', { ...old(1), headers: { ...old(1).headers, ...dead(metrics, 0) } }],
    [
      'expired',
      { ...old(9), headers: { ...old(9).headers, ...dead(aggregator.topic, 0, NOW - 8 * DAY_MS) } },
    ],
    ['redriven', late],
    // A crash between two steps may write a letter twice; the aggregator has not seen the first one yet.
    ['waiting', late],
  ];
  const [span] = await aggregator.admin.fetchTopicOffsets(deadLetters);
  const first = Number(span?.high);
  for (const [, message] of letters) await send(deadLetters, message);
  const ended = await dlq('dlq-redrive', ...letters.map((_, index) => `0:${first + index}`));
  const reported = [...ended.out.matchAll(/^\d+:\d+ +(?:refused +)?(\w+)/gm)].map(([, word]) => word);
  assert.deepEqual(
    reported,
    letters.map(([word]) => word),
  );
  await store(40);
});

test('with too much of the log not stored yet, keyed batches are refused, others are not', async () => {
  const deadLetters = aggregator.topic.replace(TOPICS.requestLog.name, TOPICS.deadLetter.name);
  const noted = {
    'imscope-dead-reason': 'bad_magic',
    'imscope-dead-topic': aggregator.topic,
    'imscope-dead-partition': '0',
    'imscope-dead-offset': '5',
    'imscope-dead-appended': String(NOW),
  };
  for (let sent = 0; sent <= 20_000; sent += 5_000) {
    const messages = Array.from({ length: 5_000 }, () => ({ partition: 0, value: 'x' }));
    await aggregator.producer.send({ topic: aggregator.topic, acks: -1, messages });
  }
  const [span] = await aggregator.admin.fetchTopicOffsets(deadLetters);
  const first = Number(span?.high);
  for (const message of [batch(KEYED, 9), batch('boot0008', 0)]) {
    await send(deadLetters, { ...message, headers: { ...message.headers, ...noted } });
  }
  const { code, out } = await dlq('dlq-redrive', `0:${first}`, `0:${first + 1}`);
  assert.equal(code, 1);
  assert.match(out, /refused +behind: more than 20000 messages .* run it again/);
  assert.match(out, /redriven +10 records/);
});
