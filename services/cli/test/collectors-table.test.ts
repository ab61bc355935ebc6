import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'node:test';
import type { CollectorRow } from '@imscope/schemas/query-api/collectors.js';
import { collectorsTable } from '../src/collectors-table.js';

const NOW_MS = Date.UTC(2026, 10, 24, 12);

function row(values: Partial<CollectorRow> = {}): CollectorRow {
  return {
    collector: 'edge-1',
    boot: 'boot000000000001',
    state: 'live',
    version: '0.1.0',
    host: 'gateway-7',
    region: '',
    settings_hash: 'abcdef012345',
    started: new Date(NOW_MS - 3_600_000).toISOString(),
    last_heard: new Date(NOW_MS - 30_000).toISOString(),
    spool: { bytes: 5 << 20, bytes_max: 4_096 * 2 ** 20, waiting_batches: 12 },
    records: { accepted: 12_345, sampled_out: 0, rejected: 0, sent: 12_345, missing: 0, unaccounted: 0 },
    retirement: null,
    ...values,
  };
}

const linesOf = (rows: readonly CollectorRow[], leftOut = 0): string[] =>
  collectorsTable(rows, leftOut, NOW_MS).map((line) =>
    stripVTControlCharacters(line).replaceAll(/ {2,}/g, '  '),
  );

test('a collector is a line with its state, settings, spool and what is missing of it', () => {
  const [, first, second] = linesOf([
    row({ state: 'silent', records: { ...row().records, missing: 77 } }),
    row({ spool: null, version: '', last_heard: new Date(NOW_MS - 7_300_000).toISOString() }),
  ]);
  assert.equal(
    first,
    'edge-1  boot000000000001  silent  30s ago  0.1.0  abcdef012345  -  5.0 MiB of 4096 MiB  12  12,345  12,345  77',
  );
  assert.equal(second, 'edge-1  boot000000000001  live  2h ago  -  abcdef012345  -  -  -  12,345  12,345  0');
});

test('retirements and rows that the service left out follow the table, without control characters', () => {
  const retirement = {
    at: '2026-11-24T10:00:00.000Z',
    by: 'operator',
    reason: 'its disk\u001b[31m is lost',
    missing: 100,
    unaccounted_max: 1_200,
    accepted_from: '2026-11-24T09:00:00.000Z',
    accepted_to: '2026-11-24T09:02:00.000Z',
    spool_records_max: null,
    taken_back: false,
  };
  const lines = linesOf([row({ state: 'retired', retirement })], 5).slice(2);
  assert.match(
    lines[0] ?? '',
    /^edge-1 \(boot000000000001\) retired 2026-11-24 10:00Z by operator: its disk\P{Cc}+ is lost; 100 records lost, at most 1,200 more$/u,
  );
  assert.equal(lines[1], 'and 5 more that the service does not list');
  const [, back] = linesOf([row({ retirement: { ...retirement, taken_back: true } })]).slice(1);
  assert.match(back ?? '', /it came back, so this does not count: 100 records lost, at most 1,200 more$/);
});
