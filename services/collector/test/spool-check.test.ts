import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { singleLane } from '@imscope/schemas/lanes.js';
import { Batch } from '../src/batches/batch.js';
import type { Incarnation } from '../src/incarnations/incarnation.js';
import { checkSpool } from '../src/spool/check-spool.js';
import { describeSpool } from '../src/spool/describe-spool.js';
import { createWorld, image, newIncarnation } from './killed-incarnation.js';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const [lane] = singleLane(1).lanes;
assert(lane !== undefined);

function logBatch(incarnation: Incarnation, records: number): Promise<void> {
  assert(lane !== undefined);
  const batch = new Batch(lane, Number.POSITIVE_INFINITY);
  batch.records = records;
  // The check reads heads; the container may be anything.
  batch.container = Buffer.alloc(2_000, 1);
  return new Promise((resolve) => {
    incarnation.append(batch, { synced: true, target: () => ({ partition: 0 }), onDone: () => resolve() });
  });
}

/** A spool with the log of one killed boot: three batches, none of which Kafka has. */
async function killedSpool(): Promise<{ directory: string; segment: string; remove: () => void }> {
  const world = await createWorld();
  world.kafka.fails = () => 'before';
  const incarnation = newIncarnation(world);
  for (const records of [2, 3, 5]) await logBatch(incarnation, records);
  const copy = await image(world);
  incarnation.log.abandon();
  const directory = mkdtempSync(join(tmpdir(), 'imscope-check-'));
  await mkdir(join(directory, 'boots'));
  const boots = join(directory, 'boots', 'boot000000000001');
  await rename(join(copy.directory, 'boot'), boots);
  for (const each of [world, copy]) each.remove();
  return {
    directory,
    segment: join(boots, '00000001.wal'),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

test('a complete spool is reported as such, with what Kafka may not have', async () => {
  const { directory, remove } = await killedSpool();
  try {
    const report = await checkSpool(directory);
    assert.equal(report.heldBy, null);
    assert.deepEqual(report.faults, []);
    const [boot] = report.boots;
    assert.deepEqual(
      [
        boot?.collector,
        boot?.state,
        boot?.batches,
        boot?.records,
        boot?.waitingBatches,
        boot?.waitingRecords,
      ],
      ['edge-1', 'open', 3, 10, 3, 10],
    );
    const words = describeSpool(directory, report, (boot?.waitingSinceMs ?? 0) + 5_000);
    assert.match(words, /held by no process/);
    assert.match(words, /3 \(10 records\)\s+5 s/);
    assert.match(words, /Complete: no entry is damaged/);
  } finally {
    remove();
  }
});

test('a torn tail is no damage; a flipped bit is, and loses one batch only', async () => {
  const { directory, segment, remove } = await killedSpool();
  try {
    const whole = readFileSync(segment);
    truncateSync(segment, whole.length - 100);
    const torn = await checkSpool(directory);
    assert.deepEqual(
      torn.faults.map(({ kind }) => kind),
      ['torn_tail'],
    );
    assert.equal(torn.boots[0]?.batches, 2);
    const flipped = Buffer.from(whole);
    const middle = whole.length - 3_000;
    flipped[middle] = (flipped[middle] ?? 0) ^ 1;
    writeFileSync(segment, flipped);
    const damaged = await checkSpool(directory);
    assert.deepEqual(
      damaged.faults.map(({ kind, file }) => [kind, file]),
      [['damaged', 'boots/boot000000000001/00000001.wal']],
    );
    assert.equal(damaged.boots[0]?.batches, 2);
    assert.match(describeSpool(directory, damaged, Date.now()), /1 place is damaged/);
  } finally {
    remove();
  }
});

function command(...args: string[]): Promise<{ code: number | string; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const node = ['--conditions=imscope-source', '--import', 'tsx', MAIN, 'spool-check', ...args];
    execFile(process.execPath, node, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

test('the command prints the report and ends with 0, with 1 for damage, with 2 without a spool', async () => {
  const { directory, segment, remove } = await killedSpool();
  try {
    const whole = await command('--json', directory);
    assert.equal(whole.code, 0);
    assert.match(whole.stdout, /"waitingRecords": 10/);
    writeFileSync(segment, Buffer.concat([Buffer.alloc(50), readFileSync(segment)]));
    const damaged = await command(directory);
    assert.equal(damaged.code, 1);
    assert.match(damaged.stdout, /damaged: .*50 bytes from offset 0/);
    const none = await command(join(directory, 'boots'));
    assert.equal(none.code, 2);
    assert.match(none.stderr, /is no spool/);
  } finally {
    remove();
  }
});
