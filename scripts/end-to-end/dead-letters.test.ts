/*
 * Unreadable messages between those of a collector, through the built services: all other messages are stored,
 * `imscope dlq` lists the unreadable ones, and a repaired one is stored once.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Producer } from 'kafkajs';
import { type Poison, poisonMessages } from '../../services/aggregator/test/dlq/poison-messages.js';
import { batchMessage } from '../../services/aggregator/test/log-of-messages.js';
import { REPO_ROOT } from '../stack/repo-root.js';
import { type Pipeline, assertBalanced, startPipeline } from '../pipeline/pipeline.js';
import { openKafka } from '../stack/kafka-client.js';

type Letter = {
  readonly place: string;
  readonly reason: string;
  readonly partition: number;
  readonly offset: number;
  readonly bytes: number;
};

const NOW = Date.now();
const PARTITION = 1;
const RECORDS_A_REQUEST = 20;
const directory = mkdtempSync(join(tmpdir(), 'imscope-dead-letters-'));

let pipeline: Pipeline;
let producer: Producer;
let poison: readonly Poison[];
/** By index of the unreadable message. */
const offsets: number[] = [];
let letters: Letter[] = [];
let rows = 0;

before(async () => {
  pipeline = await startPipeline();
  const kafka = openKafka(pipeline.kafka.broker);
  producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  poison = poisonMessages(NOW);
  for (const [index, message] of poison.entries()) {
    offsets.push(await append(message));
    await append(
      batchMessage({ boot: 'neighbour0', sequence: index, records: 10 }, PARTITION, {
        least: NOW,
        greatest: NOW,
      }),
    );
    if (index % 8 === 0) await post(index);
    rows += 10;
  }
  await pipeline.untilStored(rows);
});

after(async () => {
  await producer.disconnect();
  await pipeline.end();
  rmSync(directory, { recursive: true });
});

async function append({ value, headers }: Pick<Poison, 'value' | 'headers'>): Promise<number> {
  const topic = `${pipeline.kafka.topicPrefix}im.request-log`;
  const messages = [{ partition: PARTITION, value, headers }];
  const [sent] = await producer.send({ topic, acks: -1, messages });
  return Number(sent?.baseOffset);
}

/** Requests of gateways between the unreadable messages. */
async function post(request: number): Promise<void> {
  const records = Array.from({ length: RECORDS_A_REQUEST }, (_, index) => ({
    time: Date.now(),
    sdk_app_id: 1_400_000_001,
    interface: 'openim/sendmsg',
    exit_ip: '203.0.113.9',
    latency_ms: 12,
    code: 0,
    request_id: `posted-${request}-${index}`,
  }));
  const response = await fetch(`${pipeline.collectorUrl}/v1/request-logs`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${pipeline.credentials.writeToken}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(records),
  });
  assert.equal(response.status, 202, await response.text());
  rows += RECORDS_A_REQUEST;
}

async function imscope(...args: string[]): Promise<{ code: number; out: string }> {
  const command = join(REPO_ROOT, 'services', 'cli', 'bin', 'imscope.js');
  return new Promise((resolve) => {
    const env = { ...pipeline.aggregatorEnvironment };
    execFile(process.execPath, [command, ...args], { env, cwd: REPO_ROOT }, (error, out, errors) =>
      resolve({ code: error === null ? 0 : Number(error.code), out: `${out}${errors}` }),
    );
  });
}

function letterOf(title: string): Letter {
  const offset = offsets[poison.findIndex((one) => one.title === title)];
  return letters.find((letter) => letter.offset === offset) ?? assert.fail(`no letter of ${title}`);
}

test('every message beside unreadable ones is stored, and the ledger records the dead letters', async () => {
  await assertBalanced(pipeline, rows);
  const [recorded] = await pipeline.select<{ dead: number }>(
    "SELECT sum(dead_messages) AS dead FROM block_ledger FINAL WHERE topic LIKE '%im.request-log'",
  );
  assert.equal(recorded?.dead, poison.length);
});

test('imscope dlq ls lists each dead letter with reason and size, and show returns its bytes', async () => {
  const listed = await imscope('dlq', 'ls', '--json', '--topic', 'im.request-log');
  assert.equal(listed.code, 0, listed.out);
  letters = listed.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Letter);
  assert.deepEqual(
    letters
      .map(({ partition, offset, reason, bytes }) => [partition, offset, reason, bytes])
      .toSorted(byOffset),
    poison.map(({ reason, value }, index) => [PARTITION, offsets[index], reason, value?.length ?? 0]),
  );
  const title = 'packed bytes with a flipped bit';
  const { place } = letterOf(title);
  const file = join(directory, 'letter.avro');
  const shown = await imscope('dlq', 'show', place, '--bytes', file);
  assert.match(shown.out, /bad_packing: byte \d+, block 1: it cannot be unpacked as zstandard/);
  assert.deepEqual(readFileSync(file), poison.find((one) => one.title === title)?.value);
});

function byOffset(a: readonly unknown[], b: readonly unknown[]): number {
  return Number(a[1]) - Number(b[1]);
}

test('a dead letter with a wrong checksum, repaired and redriven twice, is stored once', async () => {
  const { place } = letterOf('a wrong checksum');
  assert.deepEqual((await imscope('dlq', 'redrive', place)).code, 1);
  const first = await imscope('dlq', 'redrive', '--mend', place);
  assert.match(first.out, /redriven +3 records to .*im\.request-log 1:\d+, with new headers/);
  const second = await imscope('dlq', 'redrive', '--mend', place);
  assert.equal(second.code, 0, second.out);
  rows += 3;
  await pipeline.untilStored(rows);
  const third = await imscope('dlq', 'redrive', '--mend', place);
  assert.match(third.out, /stored +its batch is in the ledger already/);
  await assertBalanced(pipeline, rows);
  const [stored] = await pipeline.select<{ rows: number }>(
    "SELECT count() AS rows FROM request_log WHERE startsWith(request_id, 'poison00')",
  );
  assert.equal(stored?.rows, 3);
});
