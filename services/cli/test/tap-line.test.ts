import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'node:test';
import { tapText } from '../src/tap-line.js';

test('a line is not wider than the terminal, has no control characters, and says how much was not shown', () => {
  const record = {
    type: 'record',
    time: '2024-01-02T03:04:05.678Z',
    sdk_app_id: 1,
    interface: `a/${'b'.repeat(126)}`,
    exit_ip: '203.0.113.0/24',
    latency_ms: 86_400_000,
    code: null,
    http_status: 0,
    outcome: 'unknown',
    exception: '\u001B[31mred',
    cause: 'x'.repeat(2_000),
    weight: 5,
  } as const;
  const text = stripVTControlCharacters(tapText(record, 140));
  assert(text.length <= 140, text);
  assert.match(text, /stands for 5: \uFFFD\[31mred: x+…$/);
  assert.match(
    tapText({ type: 'dropped', rate: 3, reader: 0 }, 80),
    /3 records not shown: more than 100 a second/,
  );
});
