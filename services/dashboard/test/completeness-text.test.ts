import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Completeness } from '@imscope/schemas/query-api/answers.js';
import { completenessWords } from '../src/words/completeness-text.js';

const TO = Date.UTC(2026, 10, 23, 12, 4, 5);
const words = (given: Partial<Completeness>, toMs = TO) =>
  completenessWords(
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

test('an answer that reaches beyond the watermark is arriving, and says up to when', () => {
  const { text, loud } = words({});
  assert.deepEqual([text, loud], ['arriving, up to 12:03:10', false]);
});

test('where all that is known of is stored the answer is arriving still', () => {
  assert.equal(words({}, Date.UTC(2026, 10, 23, 12, 3)).text, 'arriving');
  assert.equal(words({ watermark: null, ratio: null }).text, 'arriving');
});

test('what is missing is said as the share that is stored, which is never rounded up to all of it', () => {
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

test('where no account tells of the time, that is said and nothing else', () => {
  assert.equal(words({ status: 'unknown', ratio: null }).text, 'completeness not known');
});
