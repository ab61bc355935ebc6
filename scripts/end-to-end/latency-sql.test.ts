import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Session } from 'chdb';
import { latencyBucket, latencyBucketSql } from '@imscope/schemas/latency-histogram.js';

test('the bucket formula in TypeScript equals the one in SQL, from 0 to two seconds and at the extremes', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'imscope-latency-'));
  const session = new Session(directory);
  try {
    const extremes = [
      0,
      ...Array.from({ length: 51 }, (_, power) => [2 ** power - 1, 2 ** power, 2 ** power + 1]).flat(),
    ];
    const values = `SELECT arrayJoin([${extremes.join(',')}]::Array(UInt64)) AS v`;
    for (const source of [values, 'SELECT number AS v FROM numbers(2000001)']) {
      const result = await session.queryAsync(
        `SELECT v, ${latencyBucketSql('v')} AS bucket FROM (${source})`,
        { format: 'CSV' },
      );
      let compared = 0;
      for (const line of result.text().trimEnd().split('\n')) {
        const [value, bucket] = line.split(',').map(Number);
        if (latencyBucket(value ?? Number.NaN) !== bucket)
          assert.fail(`${value} µs: ${latencyBucket(value ?? 0)} and ${bucket}`);
        compared += 1;
      }
      assert.ok(compared >= extremes.length);
    }
  } finally {
    session.close();
    rmSync(directory, { recursive: true });
  }
});
