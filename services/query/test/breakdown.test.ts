import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Breakdown, type BreakdownRow } from '@imscope/schemas/query-api/breakdown.js';
import { FLEET_DIMENSIONS, type Dimension } from '@imscope/schemas/query-api/dimensions.js';
import { FEW, openStoreAndQuery, READ_ALL, READ_FEW } from './query-under-test.js';
import { addressOf, assertError, readAnswer } from './read-answer.js';
import { assertFigures, groupRows, sumWeights } from './recompute.js';
import { metricsOf, single } from './stored-metric.js';
import { insertNetworks, providerOf } from './stored-network.js';
import { seededRows, type StoredRow } from './stored-row.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOW_MINUTE = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
/** Begins and ends within a minute, settled. */
const FROM_MS = NOW_MINUTE - 5 * HOUR_MS + 12_345;
const TO_MS = NOW_MINUTE - 3 * HOUR_MS - 23_456;
const WINDOW = { from: new Date(FROM_MS).toISOString(), to: new Date(TO_MS).toISOString() };
const SECONDS = (TO_MS - FROM_MS) / 1000;
const [ONE = 0, OTHER = 0] = FEW;
const WITH_METRICS = 300;

/** From as many addresses as a group by provider has at least, and more. */
const requestsOf = (sdkAppId: number, count: number) =>
  seededRows({
    seed: sdkAppId,
    count,
    sdkAppId,
    fromMs: FROM_MS - 10 * MINUTE_MS,
    toMs: TO_MS + 10 * MINUTE_MS,
  }).map((row, index) => ({ ...row, exit_ip: row.exit_ip.replace(/\d+$/, String(1 + (index % 50))) }));
const byLogs = [...requestsOf(ONE, 4_000), ...requestsOf(OTHER, 1_500), ...requestsOf(103, 500)];
const counted = single(requestsOf(WITH_METRICS, 4_000));
/** Of a source that names nothing but the interface. */
const UNNAMED = 301;
const NOTHING_NAMED = { node: '', region: '', platform: '', sdk_version: '', exception: '' };
const unnamed = requestsOf(UNNAMED, 60).map((row, index) =>
  index % 2 === 0 ? row : { ...row, ...NOTHING_NAMED },
);
const rows = [...byLogs, ...counted, ...unnamed];

// However few the rows are: metrics first.
const { query } = await openStoreAndQuery(
  async (store) => {
    await store.insert(rows);
    await insertNetworks(store.client);
    const metrics = metricsOf(counted, counted);
    await store.client.insert({ table: 'interface_metric', values: metrics, format: 'JSONEachRow' });
  },
  { LOG_ROWS_MAX: '0' },
);

const inWindow = ({ time }: StoredRow): boolean => time >= FROM_MS && time < TO_MS;
const rowsOf = (sdkAppId: number): StoredRow[] =>
  rows.filter((row) => row.sdk_app_id === sdkAppId && inWindow(row));
function valueOf(row: StoredRow, dimension: Dimension): string | number | null {
  if (dimension === 'application') return row.sdk_app_id;
  return dimension === 'isp' ? providerOf(row) : row[dimension];
}
const keyOf = (row: StoredRow, dimensions: readonly Dimension[]): string =>
  JSON.stringify(dimensions.map((dimension) => valueOf(row, dimension)));
const givenKey = ({ group }: BreakdownRow, dimensions: readonly Dimension[]): string =>
  JSON.stringify(dimensions.map((dimension) => group[dimension]));
const sumOf = (of: readonly StoredRow[], outcome: string): number =>
  sumWeights(of.filter((row) => row.outcome === outcome));

/** Compares each group, the others and the total with the rows they are about. */
function assertBreakdown(data: Breakdown, own: readonly StoredRow[], dimensions: readonly Dimension[]): void {
  const expected = groupRows(own, (row) => keyOf(row, dimensions));
  const [failures, successes] = [sumOf(own, 'service_error'), sumOf(own, 'success')];
  const assertShares = (given: Omit<BreakdownRow, 'group'>, of: readonly StoredRow[]): void => {
    assertFigures(given, of, SECONDS);
    assert.equal(given.share_of_requests, sumWeights(of) / sumWeights(own));
    assert.equal(given.share_of_failures, failures === 0 ? null : sumOf(of, 'service_error') / failures);
    assert.equal(given.share_of_successes, successes === 0 ? null : sumOf(of, 'success') / successes);
  };
  assertFigures(data.total, own, SECONDS);
  assert.equal(data.total.groups, expected.size);
  for (const row of data.groups) {
    const key = givenKey(row, dimensions);
    assertShares(row, expected.get(key) ?? []);
    expected.delete(key);
  }
  if (data.other === null) assert.equal(expected.size, 0);
  else {
    assert.equal(data.other.groups, expected.size);
    assertShares(data.other, [...expected.values()].flat());
  }
}

async function groupsIn(sort: string | undefined) {
  const { data } = await readAnswer(query.app, Breakdown, `applications/${ONE}/breakdown`, {
    ...WINDOW,
    group_by: ['interface', 'node'],
    ...(sort === undefined ? {} : { sort }),
  });
  return data.groups;
}

function assertOrder(groups: readonly BreakdownRow[], of: (row: BreakdownRow) => number): void {
  const given = groups.map(of);
  assert.deepEqual(
    given,
    given.toSorted((a, b) => a - b),
  );
}

const askGroups = (dimensions: string[], path = `applications/${ONE}/breakdown`) =>
  query.app.inject({
    url: addressOf(path, { ...WINDOW, group_by: dimensions }),
    headers: { authorization: `Bearer ${READ_ALL}` },
  });

test('every dimension alone equals an independent recomputation, for the fleet', async () => {
  const own = rows.filter(inWindow);
  for (const dimension of FLEET_DIMENSIONS) {
    const { data } = await readAnswer(query.app, Breakdown, 'fleet/breakdown', {
      ...WINDOW,
      group_by: dimension,
    });
    assertBreakdown(data, own, [dimension]);
    assert.equal(data.other, null, dimension);
  }
});

test('two dimensions equal an independent recomputation, and the tail is summed in one row', async () => {
  const pairs: [Dimension, Dimension][] = [
    ['node', 'code'],
    ['code', 'exception'],
    ['interface', 'outcome'],
    ['sdk_version', 'platform'],
  ];
  for (const dimensions of pairs) {
    for (const limit of [1, 4, 1_000]) {
      const { data } = await readAnswer(query.app, Breakdown, `applications/${ONE}/breakdown`, {
        ...WINDOW,
        group_by: dimensions,
        limit: String(limit),
      });
      assertBreakdown(data, rowsOf(ONE), dimensions);
      assert.equal(data.groups.length, Math.min(limit, data.total.groups), dimensions.join());
    }
  }
});

test('what is listed and the others add up to the total, whatever the order and the limit', async () => {
  for (const sort of ['lost', 'requests', 'success_rate', 'latency_avg']) {
    const { data } = await readAnswer(query.app, Breakdown, 'fleet/breakdown', {
      ...WINDOW,
      group_by: ['application', 'node'],
      sort,
      limit: '5',
    });
    assert.ok(data.other !== null);
    const parts = [...data.groups, data.other];
    const sum = (of: (part: (typeof parts)[number]) => number): number =>
      parts.reduce((total, part) => total + of(part), 0);
    assert.equal(
      sum(({ requests }) => requests),
      data.total.requests,
    );
    assert.equal(
      sum(({ outcomes }) => outcomes.success),
      data.total.outcomes.success,
    );
    assert.equal(
      sum(({ outcomes }) => outcomes.service_error),
      data.total.outcomes.service_error,
    );
    assert.equal(data.groups.length + data.other.groups, data.total.groups);
  }
});

test('groups come in the order asked for', async () => {
  assertOrder(await groupsIn(undefined), ({ outcomes }) => -outcomes.service_error);
  assertOrder(await groupsIn('requests'), ({ requests }) => -requests);
  assertOrder(await groupsIn('success_rate'), ({ success_rate }) => success_rate ?? 2);
  assertOrder(await groupsIn('latency_avg'), ({ latency_ms }) => -(latency_ms.avg ?? 0));
});

test('interfaces and regions are counted from the metrics, other dimensions from the logs', async () => {
  const ask = (group_by: string | string[]) =>
    readAnswer(query.app, Breakdown, `applications/${WITH_METRICS}/breakdown`, { ...WINDOW, group_by });
  for (const dimensions of [['interface'], ['region'], ['region', 'interface']] satisfies Dimension[][]) {
    const { data, window } = await ask(dimensions);
    assert.equal(window.source, 'both');
    assertBreakdown(data, rowsOf(WITH_METRICS), dimensions);
  }
  const { data, window } = await ask(['node', 'interface']);
  assert.equal(window.source, 'logs');
  assertBreakdown(data, rowsOf(WITH_METRICS), ['node', 'interface']);
});

test('filters hold for groups, others and total', async () => {
  const { data } = await readAnswer(query.app, Breakdown, 'fleet/breakdown', {
    ...WINDOW,
    group_by: ['application', 'code'],
    node: ['gw-1', 'gw-2'],
    outcome: 'service_error',
    exception: 'UpstreamTimeout',
    limit: '2',
  });
  const own = rows.filter(
    (row) =>
      inWindow(row) &&
      row.node !== 'gw-3' &&
      row.outcome === 'service_error' &&
      row.exception === 'UpstreamTimeout',
  );
  assertBreakdown(data, own, ['application', 'code']);
});

test('the group of requests whose source names no value is kept by the filter of that value', async () => {
  for (const dimension of ['node', 'region', 'platform', 'sdk_version', 'exception'] as const) {
    const path = `applications/${UNNAMED}/breakdown`;
    const parameters = { ...WINDOW, group_by: dimension };
    const { data } = await readAnswer(query.app, Breakdown, path, parameters);
    const group = data.groups.find((one) => one.group[dimension] === '');
    const filtered = await readAnswer(query.app, Breakdown, path, { ...parameters, [dimension]: '' });
    assert.ok(group !== undefined && group.requests > 0, dimension);
    assert.equal(filtered.data.total.requests, group.requests, dimension);
  }
});

test('a caller sees groups of its own applications alone', async () => {
  const { data } = await readAnswer(
    query.app,
    Breakdown,
    'fleet/breakdown',
    { ...WINDOW, group_by: 'application' },
    READ_FEW,
  );
  assert.deepEqual(new Set(data.groups.map(({ group }) => group.application)), new Set([ONE, OTHER]));
  assertBreakdown(data, [...rowsOf(ONE), ...rowsOf(OTHER)], ['application']);
  assert.deepEqual(data.groups[0]?.application, { sdk_app_id: ONE, name: '', package: '', owner: '' });
});

test('groups by code have the name of the code', async () => {
  const { data } = await readAnswer(query.app, Breakdown, `applications/${ONE}/breakdown`, {
    ...WINDOW,
    group_by: 'code',
  });
  const names = new Map(data.groups.map(({ group, code_name }) => [group.code, code_name]));
  assert.ok(names.has(null), 'requests without a code are a group');
  assert.ok([70_001, 91_000].every((code) => (names.get(code) ?? '') !== ''));
});

test('a window without requests has no groups, and zeros in all', async () => {
  const { data } = await readAnswer(query.app, Breakdown, 'applications/999/breakdown', {
    ...WINDOW,
    group_by: ['code', 'node'],
  });
  assert.deepEqual([data.groups, data.other, data.total.groups], [[], null, 0]);
  assertFigures(data.total, [], SECONDS);
});

test('dimensions are one or two different ones of the list', async () => {
  for (const wrong of [
    [],
    ['node', 'code', 'region'],
    ['node', 'node'],
    ['exit_ip'],
    ['cause'],
    ['application'],
  ]) {
    assertError(await askGroups(wrong), 400, 'invalid_parameter');
  }
  assertError(await askGroups(['sdk_app_id'], 'fleet/breakdown'), 400, 'invalid_parameter');
});
