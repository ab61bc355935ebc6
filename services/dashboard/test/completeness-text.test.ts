import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Completeness } from '@imscope/schemas/query-api/envelope.js';
import { completenessText } from '../src/words/completeness-text.js';

const TO = Date.UTC(2026, 10, 23, 12, 4, 5);
const words = (given: Partial<Completeness>, toMs = TO) =>
  completenessText(
    { status: 'partial', ratio: 1, watermark: '2026-11-23T12:03:10.250Z', silent_collectors: [], ...given },
    toMs,
    TO,
    'UTC',
  );
const silent = (collector: string, heard: string): Completeness['silent_collectors'][number] => ({
  collector,
  boot: `${collector}-boot`,
  last_heard: heard,
});

test('a complete answer says so', () => {
  const { text, loud } = words({ status: 'complete' });
  assert.deepEqual([text, loud], ['complete', false]);
});

test('an answer that reaches beyond the watermark is arriving, and says up to when it is stored', () => {
  const { text, loud } = words({});
  assert.deepEqual([text, loud], ['arriving, up to 12:03:10', false]);
});

test('an answer is still arriving where all known records are stored', () => {
  assert.equal(words({}, Date.UTC(2026, 10, 23, 12, 3)).text, 'arriving');
  assert.equal(words({ watermark: null, ratio: null }).text, 'arriving');
});

test('missing records are shown as the share that is stored, which is never rounded up to 100 %', () => {
  const { text, loud } = words({ ratio: 0.999_999 });
  assert.match(text, /^99\.999.% of it stored, up to 12:03:10$/);
  assert.equal(loud, true);
});

test('silent collectors are named with the time they were last heard', () => {
  const one = words({ status: 'unknown', silent_collectors: [silent('edge-2', '2026-11-23T12:01:05.000Z')] });
  assert.deepEqual([one.text, one.loud], ['collector edge-2 silent since 12:01:05', true]);
  const two = words({
    status: 'unknown',
    silent_collectors: [
      silent('edge-2', '2026-11-22T12:01:05.000Z'),
      silent('edge-3', '2026-11-23T12:01:05.000Z'),
    ],
  });
  assert.equal(two.text, 'collector edge-2 silent since 22 Nov 12:01:05 and 1 more');
  assert.match(two.meaning, /edge-3 \(boot edge-3-boot\): 2026-11-23T12:01:05/);
});

test('without an account for the window completeness is not known', () => {
  assert.equal(words({ status: 'unknown', ratio: null }).text, 'completeness not known');
});

test('bounds of the success rate are shown where records are missing, with the reason of the verdict', () => {
  const verdict = { fault: 'telemetry_fault', reason: 'one collector is silent' } as const;
  const success_rate = { least: 0.9, greatest: 0.995 };
  const { text, meaning, loud } = words({ ratio: 0.9, missing_max: 1_000, success_rate, verdict });
  assert.match(text, / · success 90\.00\s% to 99\.50\s%$/);
  assert.match(
    meaning,
    /At most 1,000 records are missing.*\nFault of the telemetry: one collector is silent$/,
  );
  assert.equal(loud, true);
  assert.equal(words({ status: 'complete', missing_max: 0, success_rate }).text, 'complete');
});

test('what is lost with retired collectors is said', () => {
  assert.match(
    words({ ratio: 0.9, retired: { collectors: 2, lost_max: 7 } }).meaning,
    /At most 7 .* 2 retired/,
  );
});
