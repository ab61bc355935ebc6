import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InterfaceMetric } from '@imscope/schemas/interface-metric.js';
import type { RequestLog } from '@imscope/schemas/request-log.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { createTestTopic, readMessages } from '../running-collector.js';
import { idsOf, logLine, recordsOf, until } from './tail-lines.js';
import { startTailProcess, type TailProcess } from './tail-process.js';

const KILLS = 6;
const LINES_A_BURST = 80;

/** Writes as nginx does: pieces that end anywhere in a line, renamed files that it goes on writing to for a while. */
class Writer {
  readonly ids: string[] = [];
  readonly #path: string;
  #file: number;
  #rotations = 0;
  #rotateNext = false;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'a');
  }

  async writeUntil(stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      this.#burst();
      if (this.#rotateNext) await this.#rotate();
      await sleep(10);
    }
    closeSync(this.#file);
  }

  /** Rotates at the next turn. Twice while nobody looks, and nobody could know of the file between. */
  rotateSoon(): void {
    this.#rotateNext = true;
  }

  #burst(): void {
    const first = this.ids.length;
    for (let index = 0; index < LINES_A_BURST; index++)
      this.ids.push(`r${String(first + index).padStart(8, '0')}`);
    const bytes = Buffer.from(
      this.ids
        .slice(first)
        .map((id) => `${logLine({ id })}\n`)
        .join(''),
    );
    const cut = (first * 7_919) % bytes.length;
    writeSync(this.#file, bytes.subarray(0, cut));
    writeSync(this.#file, bytes.subarray(cut));
  }

  async #rotate(): Promise<void> {
    this.#rotateNext = false;
    this.#rotations += 1;
    renameSync(this.#path, `${this.#path}.${this.#rotations}`);
    this.#burst();
    await sleep(20);
    closeSync(this.#file);
    this.#file = openSync(this.#path, 'a');
  }
}

test('a tailer killed repeatedly while the log is written and rotated loses no line and doubles none', async (t) => {
  const topic = await createTestTopic(3);
  const directory = mkdtempSync(join(tmpdir(), 'imscope-kills-'));
  const path = join(directory, 'access.log');
  const environment = {
    KAFKA_TOPIC_PREFIX: topic.prefix,
    SPOOL_DIR: join(directory, 'spool'),
    TAIL_FILES: path,
    BATCH_RECORDS_MAX: '500',
    METRIC_GRACE_MS: '0',
  };
  let running: TailProcess | undefined;
  let stopped = false;
  t.after(async () => {
    stopped = true;
    await running?.kill();
    await topic.remove();
    rmSync(directory, { recursive: true });
  });
  const writer = new Writer(path);
  const writing = writer.writeUntil(() => stopped);
  for (let kill = 0; kill < KILLS; kill++) {
    const tail = (running = await startTailProcess(environment));
    // At another place each time: after few lines or many, between checkpoints or behind one.
    const lines = 1 + ((kill * 1_733) % 4_000);
    await until('it reads', async () => (await tail.metric('tail_lines_total')) >= lines);
    // By turns while it reads, and while nobody does.
    if (kill % 2 === 0) writer.rotateSoon();
    if (kill % 3 === 0)
      await until('more comes', async () => (await tail.metric('tail_lines_total')) >= lines * 2);
    await tail.kill();
    if (kill % 2 === 1) writer.rotateSoon();
  }
  stopped = true;
  await writing;
  const last = (running = await startTailProcess(environment));
  await until('nothing is behind', async () => {
    const read = await last.metric('tail_lines_total');
    return (
      read > 0 && (await last.metric('tail_behind_bytes')) === 0 && (await last.metric('spool_batches')) === 0
    );
  });
  assert.equal(await last.stop(), 0);
  const messages = await readMessages<RequestLog>(topic.kafka, topic.topic);
  const ids = idsOf(messages);
  assert.ok(writer.ids.length > 5_000, `only ${writer.ids.length} lines were written`);
  assert.equal(ids.length, new Set(ids).size, 'no line is there twice');
  const there = new Set(ids);
  assert.deepEqual(writer.ids.filter((id) => !there.has(id)).slice(0, 5), [], 'no line is missing');
  assert.equal(ids.length, writer.ids.length);
  const metrics = await readMessages<InterfaceMetric>(
    topic.kafka,
    topic.prefix + TOPICS.interfaceMetric.name,
  );
  const counted = recordsOf(metrics).reduce((sum, row) => sum + row.success, 0);
  assert.equal(counted, writer.ids.length, 'the metrics count every line once');
});

test('a stopped tailer continues where it was, without a log left', async (t) => {
  const topic = await createTestTopic(1);
  const directory = mkdtempSync(join(tmpdir(), 'imscope-stop-'));
  const path = join(directory, 'access.log');
  const environment = {
    KAFKA_TOPIC_PREFIX: topic.prefix,
    SPOOL_DIR: join(directory, 'spool'),
    TAIL_FILES: path,
  };
  let running: TailProcess | undefined;
  t.after(async () => {
    await running?.kill();
    await topic.remove();
    rmSync(directory, { recursive: true });
  });
  const ids: string[] = [];
  for (const round of ['a', 'b', 'c']) {
    const file = openSync(path, 'a');
    for (let index = 0; index < 100; index++) {
      ids.push(`${round}${String(index).padStart(3, '0')}`);
      writeSync(file, `${logLine({ id: ids.at(-1) ?? '' })}\n`);
    }
    closeSync(file);
    const tail = (running = await startTailProcess(environment));
    await until('it reads', async () => (await tail.metric('tail_lines_total')) > 0);
    assert.equal(await tail.stop(), 0);
    // Renamed while nobody looks: what a stop left unread of it is found.
    if (round === 'b') renameSync(path, `${path}.1`);
  }
  assert.deepEqual(idsOf(await readMessages<RequestLog>(topic.kafka, topic.topic)), ids);
});
