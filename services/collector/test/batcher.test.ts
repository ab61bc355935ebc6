import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { decodeContainer } from '@imscope/schemas/container-decoder.js';
import { singleLane } from '@imscope/schemas/lanes.js';
import type { NewRequestLog } from '@imscope/schemas/request-log-encoder.js';
import { MESSAGE_BYTES_MAX } from '@imscope/schemas/topics.js';
import type { Batch } from '../src/batches/batch.js';
import { Batcher } from '../src/batches/batcher.js';
import { ByteBudget } from '../src/limits/byte-budget.js';
import { COUNTS_BYTES_PER_RECORD } from '../src/accounting/batch-counts.js';
import { isRejection } from '../src/intake/reject-reasons.js';
import { validateRecord } from '../src/intake/validate-record.js';
import { SAMPLE_TIME_MS, sampleRecord, validationContext } from './sample-record.js';

const lanes = singleLane(2);
const [lane] = lanes.lanes;
assert(lane !== undefined);

function record(changes: Record<string, unknown> = {}): NewRequestLog {
  const context = validationContext();
  const stored = validateRecord(sampleRecord(changes), context);
  assert(!isRejection(stored));
  return stored;
}

function batcher(options: { recordsMax?: number; lingerMs?: number; onReady?: () => void } = {}) {
  const budget = new ByteBudget(1 << 30);
  const made = new Batcher({
    lanes,
    recordsMax: options.recordsMax ?? 10,
    lingerMs: options.lingerMs ?? 1_000,
    timeoutMs: 60_000,
    budget,
    count: () => undefined,
    countUnlogged: () => 0,
    onReady: options.onReady ?? (() => undefined),
  });
  return { batcher: made, budget };
}

function decode(batch: Batch | undefined): unknown[] {
  assert(batch?.container !== undefined);
  const decoded = decodeContainer(batch.container);
  assert(decoded.ok);
  return decoded.records;
}

test('an idle lane gets its open batch at once, a busy one waits for more records', () => {
  const { batcher: made } = batcher();
  const batch = made.append(record(), SAMPLE_TIME_MS);
  assert.equal(made.next(lane, false), undefined);
  assert.equal(made.next(lane, true), batch);
  assert.equal(made.next(lane, true), undefined);
  assert.deepEqual(decode(batch).length, 1);
});

test('a batch closes at its record bound, and the next record opens another', () => {
  const { batcher: made } = batcher({ recordsMax: 3 });
  const batches = Array.from({ length: 7 }, (_, index) =>
    made.append(record({ request_id: `r${index}` }), SAMPLE_TIME_MS),
  );
  assert.equal(new Set(batches).size, 3);
  assert.equal(decode(made.next(lane, false)).length, 3);
  assert.equal(decode(made.next(lane, false)).length, 3);
  assert.equal(made.next(lane, false), undefined);
  assert.equal(decode(made.next(lane, true)).length, 1);
});

test('after its linger time a batch is sent although the lane is busy', async () => {
  let batch: Batch | undefined;
  await new Promise<void>((resolve) => {
    const { batcher: made } = batcher({
      lingerMs: 5,
      onReady: () => {
        if (made.next(lane, false) === batch) resolve();
      },
    });
    batch = made.append(record(), SAMPLE_TIME_MS);
  });
  assert.equal(decode(batch).length, 1);
});

test('while draining, no batch waits', () => {
  const { batcher: made } = batcher();
  const batch = made.append(record(), SAMPLE_TIME_MS);
  made.drain();
  assert.equal(made.next(lane, false), batch);
});

/** Three bytes a character in UTF-8, and nothing that repeats. */
function noise(length: number): string {
  const bytes = randomBytes(length * 2);
  return Array.from({ length }, (_, i) =>
    String.fromCharCode(0x800 + (bytes.readUInt16BE(i * 2) % 0xd000)),
  ).join('');
}

test('messages stay below their bound with the longest records of incompressible text', () => {
  const { batcher: made } = batcher({ recordsMax: 20_000 });
  const sent = new Set<Batch>();
  for (let index = 0; index < 500; index++) {
    sent.add(
      made.append(
        record({
          cause: noise(2_048),
          exception: noise(256),
          node: noise(128),
          region: noise(128),
          platform: noise(128),
          sdk_version: noise(128),
          request_id: noise(128),
        }),
        SAMPLE_TIME_MS,
      ),
    );
  }
  let records = 0;
  for (let batch = made.next(lane, true); batch !== undefined; batch = made.next(lane, true)) {
    assert(sent.has(batch));
    assert((batch.container?.length ?? MESSAGE_BYTES_MAX) < MESSAGE_BYTES_MAX);
    records += decode(batch).length;
  }
  assert.equal(records, 500);
  assert(sent.size > 3);
});

test('a batch reserves its bytes until it is resolved, open or closed', () => {
  const { batcher: made, budget } = batcher();
  const batch = made.append(record(), SAMPLE_TIME_MS);
  assert(budget.bytesHeld > 50);
  made.next(lane, true);
  assert.equal(batch.bytesHeld, (batch.container?.length ?? 0) + COUNTS_BYTES_PER_RECORD);
  assert.equal(budget.bytesHeld, batch.bytesHeld);
});

test('batches past their deadline are removed and not returned again', () => {
  const { batcher: made } = batcher({ recordsMax: 2 });
  const batches = new Set([
    made.append(record(), SAMPLE_TIME_MS),
    made.append(record(), SAMPLE_TIME_MS),
    made.append(record(), SAMPLE_TIME_MS),
  ]);
  assert.deepEqual(made.removeExpired(performance.now()), []);
  assert.deepEqual(new Set(made.removeExpired(performance.now() + 60_001)), batches);
  assert.equal(made.next(lane, true), undefined);
});
