import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { compareWorstFirst, tierIndexSql, tierOf, TIERS, worstFirstSql } from '@imscope/schemas/health.js';
import { TupleParam } from '@clickhouse/client';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { openStore, type StoreUnderTest } from './query-under-test.js';
import { seededRandom } from './stored-row.js';

/** success, service errors, requests, and a unique number. */
type Counts = readonly [success: number, errors: number, requests: number, id: number];
const Rows = Type.Array(Type.Object({ id: Type.Number(), tier: Type.Number() }));
const COLUMNS = { requests: 'requests', success: 'success', serviceErrors: 'service_error' };

let store: StoreUnderTest;

before(async () => {
  store = await openStore();
});
after(async () => {
  await store.close();
});

/** Counts of every size, many of them near the thresholds. */
function generateCounts(): Counts[] {
  const random = seededRandom(11);
  const counts: Counts[] = [];
  for (let success = 0; success < 6; success++) {
    for (let errors = 0; errors < 8; errors++) counts.push([success, errors, success + errors, 0]);
  }
  for (let index = 0; index < 20_000; index++) {
    const classified = Math.floor(10 ** (random() * 12));
    const share = index % 2 === 0 ? random() ** 8 : 10 ** -(1.5 + random() * 2);
    const errors = Math.round(classified * share);
    counts.push([classified - errors, errors, classified + Math.floor(random() * 3), 0]);
  }
  return counts.map(([success, errors, requests], id) => [success, errors, requests, id]);
}

test('SQL and TypeScript give every row the same tier and the same place', async () => {
  const counts = generateCounts();
  const result = await store.client.query({
    query: `
SELECT id, ${tierIndexSql(COLUMNS)} AS tier
FROM (
  SELECT arrayJoin({counts:Array(Tuple(UInt64, UInt64, UInt64, UInt64))}) AS c,
    c.1 AS success, c.2 AS service_error, c.3 AS requests, c.4 AS id
)
ORDER BY ${worstFirstSql(COLUMNS)}, id`,
    query_params: { counts: counts.map((row) => new TupleParam(row)) },
    format: 'JSONEachRow',
    use_multipart_params_auto: true,
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
  const rows: unknown = await result.json();
  assert.ok(Value.Check(Rows, rows));
  const tiers = new Map(rows.map(({ id, tier }) => [id, TIERS[tier]]));
  for (const [success, errors, , id] of counts) {
    assert.equal(
      tiers.get(id),
      tierOf({ success, service_error: errors }),
      `${errors} of ${success + errors}`,
    );
  }
  const expected = counts
    .map(([success, errors, requests, id]) => ({
      id,
      requests,
      outcomes: { success, service_error: errors },
    }))
    .toSorted(compareWorstFirst);
  assert.deepEqual(
    rows.map(({ id }) => id),
    expected.map(({ id }) => id),
  );
});
