import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'node:test';
import type { DeadLetter } from '../../src/dlq/dead-letter-entry.js';
import { describeOutcome } from '../../src/dlq/describe-outcome.js';
import { type LetterLine, describeList } from '../../src/dlq/list-letters.js';
import { describeLetter } from '../../src/dlq/show-letter.js';

const NOW = Date.UTC(2026, 10, 24, 12);

const LINE: LetterLine = {
  place: '12:12345',
  died: new Date(NOW - 5_400_000).toISOString(),
  reason: 'bad_header_value',
  topic: 'prefix.im.request-log',
  partition: 12,
  offset: 123_456,
  batch: 'abcdef0123456789:12:123456',
  records: 1_000_000,
  bytes: 1_048_000,
};

const LETTER: DeadLetter = {
  place: { partition: 0, offset: 17 },
  diedMs: NOW,
  reason: 'bad_crc',
  origin: { topic: 'im.request-log', partition: 3, offset: 41, appendedMs: NOW - 1_000 },
  batch: { boot: 'abcdef0123456789', partition: 3, sequence: 7 },
  recordsClaimed: 500,
  value: Buffer.from('\u001B[2Jno container'),
  headers: { 'imscope-batch': '\u001B[31mred', long: 'x'.repeat(500) },
};

function longest(text: string): number {
  return Math.max(
    ...stripVTControlCharacters(text)
      .split('\n')
      .map((line) => line.length),
  );
}

test('no line is longer than the terminal is wide; elsewhere nothing is cut', async () => {
  const list = {
    lines: [LINE],
    chosen: 1,
    letters: 1,
    byReason: [{ reason: LINE.reason, letters: 1, records: 1_000_000 }],
    unread: [],
  };
  const refused = { kind: 'refused', reason: 'unreadable', text: 'byte 7: '.repeat(40) } as const;
  for (const columns of [80, 120]) {
    const style = { columns, colours: true };
    for (const text of [
      describeList(list, style, 'prefix.', NOW),
      await describeLetter(LETTER, { kind: 'unreadable', fault: 'bad_magic', text: 'x '.repeat(90) }, style),
      describeOutcome(LETTER, refused, style),
    ]) {
      assert.ok(longest(text) < columns, `${longest(text)} of ${columns}:\n${text}`);
    }
  }
  const complete = describeList(list, { columns: undefined, colours: false }, 'prefix.', NOW);
  assert.match(complete, /^12:12345 +2026-11-24T10:30:00Z +bad_header_value +request-log 12:123456 /m);
  assert.match(complete, /abcdef0123456789:12:123456 +1,000,000 +1,048,000$/m);
});

test('text of producers never controls the terminal, and colours are for terminals only', async () => {
  const style = { columns: undefined, colours: false };
  const shown = await describeLetter(LETTER, undefined, style);
  const outcome = describeOutcome(LETTER, { kind: 'stored' }, style);
  assert.ok(!`${shown}${outcome}`.includes('\u001B'));
  assert.match(shown, /imscope-batch = \uFFFD\[31mred/);
});

test('a list distinguishes no dead letters from none that the filter selects', () => {
  const style = { columns: undefined, colours: false };
  const none = { lines: [], chosen: 0, letters: 0, unread: [], byReason: [] };
  assert.equal(describeList(none, style, '', NOW), 'No dead letters.\n');
  const others = describeList({ ...none, letters: 3 }, style, '', NOW);
  assert.equal(others, 'None of 3 dead letters is chosen by the filter.\n');
});
