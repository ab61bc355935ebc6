import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createLogger } from '@imscope/runtime/logger.js';
import { keyedBoot } from '@imscope/schemas/batch-headers.js';
import { HttpError } from '@imscope/runtime/http-errors.js';
import fc from 'fast-check';
import { KEY_MS, KeyedIds } from '../src/spool/keyed-ids.js';
import { packWidths, widthAt } from '../src/spool/batch-entry.js';
import { decodeSegment, encodeEntry, type EntryKind } from '../src/spool/entry.js';
import { openSpool } from '../src/spool/spool.js';
import { SpoolSpace } from '../src/spool/spool-space.js';

const logger = createLogger('spool-test', 'fatal');

function directory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'imscope-spool-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

const entry = fc.record({
  kind: fc.constantFrom<EntryKind>('open', 'accounts', 'batch', 'mark', 'closed'),
  parts: fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 }),
});

test('entries are read as they were written, whatever happens to other bytes of the segment', () => {
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 8 }),
      fc.option(fc.record({ place: fc.double({ min: 0, max: 0.999, noNaN: true }), bit: fc.nat(7) }), {
        nil: undefined,
      }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (entries, flip, share) => {
        const encoded = entries.map(({ kind, parts }) =>
          encodeEntry(
            kind,
            parts.map((part) => Buffer.from(part)),
          ),
        );
        const written = encoded.map(({ pieces }) => Buffer.concat(pieces));
        const whole = Buffer.concat(written);
        const segment = Buffer.from(whole.subarray(0, Math.ceil(whole.length * share)));
        const flipped =
          flip === undefined || segment.length === 0 ? -1 : Math.floor(flip.place * segment.length);
        if (flipped >= 0) segment[flipped] = (segment[flipped] ?? 0) ^ (1 << (flip?.bit ?? 0));
        const expected: number[] = [];
        let offset = 0;
        for (const bytes of written) {
          const end = offset + bytes.length;
          const untouched = end <= segment.length && !(offset <= flipped && flipped < end);
          if (untouched) expected.push(offset);
          offset = end;
        }
        const found = [...decodeSegment(segment)];
        assert.deepEqual(
          found.filter((each) => 'kind' in each).map((each) => each.offset),
          expected,
        );
        assert.equal(
          found.reduce((sum, { bytes }) => sum + bytes, 0),
          segment.length,
        );
      },
    ),
    { numRuns: 500 },
  );
});

test('window widths take two bits a record and are read back', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 10, 60)), (widths) => {
      const packed = packWidths(widths);
      assert.equal(packed.length, Math.ceil(widths.length / 4));
      assert.deepEqual(
        widths.map((_, index) => widthAt(packed, index)),
        widths,
      );
    }),
  );
});

test('the next process reads incarnations and topics from the spool', async () => {
  const { path, remove } = directory();
  try {
    const first = await openSpool(path);
    assert.equal(first.partitions, undefined);
    await first.savePartitions({ 'im.request-log': 3, 'im.interface-metric': 2, 'im.edge-account': 1 });
    await first.createIncarnation('boot000000000001');
    await first.unlock();
    const again = await openSpool(path);
    assert.deepEqual(again.earlierIncarnations, ['boot000000000001']);
    assert.deepEqual(again.partitions, {
      'im.request-log': 3,
      'im.interface-metric': 2,
      'im.edge-account': 1,
    });
    await again.unlock();
  } finally {
    remove();
  }
});

async function answerOf(holder: ChildProcess): Promise<string> {
  const [answer] = (await once(holder, 'message')) as unknown[];
  return String(answer);
}

test('of several processes that open a spool at once one locks it; after its kill another can', async () => {
  const { path, remove } = directory();
  const holders = Array.from({ length: 4 }, () =>
    fork(fileURLToPath(new URL('spool-holder.ts', import.meta.url)), {
      execArgv: ['--conditions=imscope-source', '--import', 'tsx'],
    }),
  );
  const open = async (holder: ChildProcess): Promise<string> => {
    const answer = answerOf(holder);
    holder.send(path);
    return answer;
  };
  try {
    await Promise.all(holders.map(answerOf));
    const said = await Promise.all(holders.map(open));
    const winner = holders[said.indexOf('has it')];
    assert(winner !== undefined);
    assert.equal(said.filter((answer) => answer.includes('give every collector a SPOOL_DIR')).length, 3);
    const [loser] = holders.filter((holder) => holder !== winner);
    assert(loser !== undefined);
    assert.match(await open(loser), new RegExp(`is held by process ${winner.pid}: `));
    const ended = once(winner, 'exit');
    winner.kill('SIGKILL');
    await ended;
    const others = holders.filter((holder) => holder !== winner);
    const then = await Promise.all(others.map(open));
    assert.equal(then.filter((answer) => answer === 'has it').length, 1);
  } finally {
    // Until they are gone they hold the directory's name, and the next test's may have the same.
    const gone = holders.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const ends = gone.map((holder) => once(holder, 'exit'));
    for (const holder of gone) holder.kill('SIGKILL');
    await Promise.all(ends);
    remove();
  }
});

test('other files in a spool do not prevent a start', async () => {
  const { path, remove } = directory();
  try {
    mkdirSync(join(path, 'boots', 'not a boot'), { recursive: true });
    writeFileSync(join(path, 'boots', 'a-file'), 'x');
    writeFileSync(join(path, 'topics.json'), '{"im.request-log":0}');
    writeFileSync(join(path, 'keys-1.log'), randomBytes(500));
    writeFileSync(join(path, 'lock'), randomBytes(30));
    const spool = await openSpool(path);
    assert.deepEqual([spool.earlierIncarnations, spool.partitions], [[], undefined]);
    await spool.unlock();
    const keys = await KeyedIds.open(path, logger, Date.now());
    assert.equal(keys.size, 0);
  } finally {
    remove();
  }
});

test('keyed ids are kept over a restart, for an hour', async () => {
  const { path, remove } = directory();
  try {
    const nowMs = Date.now();
    const id = { boot: keyedBoot(randomBytes(32)), partition: 3, sequence: 0 };
    const keys = await KeyedIds.open(path, logger, nowMs);
    keys.remember(id, nowMs);
    await keys.stop();
    const later = await KeyedIds.open(path, logger, nowMs + 1_000);
    assert.equal(later.has(id, nowMs + KEY_MS - 1), true);
    assert.equal(later.has(id, nowMs + KEY_MS), false);
    assert.equal(later.has({ ...id, sequence: 1 }, nowMs), false);
    await later.forget(nowMs + KEY_MS);
    assert.equal(later.size, 0);
    await KeyedIds.open(path, logger, nowMs + 4 * KEY_MS);
    assert.deepEqual(readdirSync(path), []);
  } finally {
    remove();
  }
});

test('capacity of the spool is reserved first, and a refusal names what is used', () => {
  const space = new SpoolSpace('/', 1_000_000);
  space.add(600_000);
  space.reserve(300_000);
  assert.throws(
    () => space.reserve(100_001),
    (error) => error instanceof HttpError && error.code === 'unavailable' && error.retryAfterS === 5,
  );
  space.release(300_000);
  space.reserve(400_000);
  assert.match(space.failure ?? '', /holds 600000 bytes in 0 batches of SPOOL_BYTES_MAX 1000000/);
  space.release(400_000);
  assert.equal(space.failure, undefined);
  // Many small batches take memory: each counts as 2 kB.
  space.addBatches(1_000);
  assert.match(space.failure ?? '', /in 1000 batches/);
});
