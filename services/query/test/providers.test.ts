import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FleetPage } from '@imscope/schemas/query-api/applications.js';
import { Breakdown } from '@imscope/schemas/query-api/breakdown.js';
import { ExceptionDetail, Exceptions } from '@imscope/schemas/query-api/exceptions.js';
import { Network } from '@imscope/schemas/query-api/network.js';
import { RequestPage } from '@imscope/schemas/query-api/requests.js';
import { TimePoint } from '@imscope/schemas/query-api/timeseries.js';
import { Type } from 'typebox';
import { ispOf, loadTestNetworks, networkRows } from './network-rows.js';
import { isLarge } from './published-reference.js';
import { openStoreAndQuery, READ_ALL } from './query-under-test.js';
import { addressOf, assertError, readAnswer } from './read-answer.js';
import { assertFigures, groupRows, sumWeights } from './recompute.js';
import { type StoredRow, storedRow } from './stored-row.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const MINIMUM = { requests: 20, addresses: 5 };
const FROM_MS = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 6 * HOUR_MS;
const DENSE = 101;
const SPARSE = 104;
const ONE_FAMILY = 105;
const MIDDLING = 106;

const dense = networkRows({
  seed: 9,
  count: 6_000,
  sdkAppId: DENSE,
  fromMs: FROM_MS,
  toMs: FROM_MS + HOUR_MS,
}).map((row, index) => ({ ...row, node: `gw-${index % 3}`, exception: index % 41 === 0 ? 'Rare' : '' }));

/** From addresses of one prefix. */
const rowsFrom = (sdkAppId: number, start: string, requests: number, addresses: number): StoredRow[] =>
  Array.from({ length: requests }, (_, index) =>
    storedRow({
      time: FROM_MS + index,
      sdk_app_id: sdkAppId,
      exit_ip: `::ffff:${start}.${1 + (index % addresses)}`,
      block_row: index,
    }),
  );
/** Of the provider One, of none that is known, and too few of Two. */
const sparse = [
  ...rowsFrom(SPARSE, '20.0.0', 40, 8),
  ...rowsFrom(SPARSE, '50.0.0', 30, 8),
  ...rowsFrom(SPARSE, '30.0.0', 10, 4),
];
const rows = [
  ...dense,
  ...sparse,
  ...rowsFrom(ONE_FAMILY, '20.0.1', 25, 3),
  ...rowsFrom(MIDDLING, '20.0.2', 200, 12),
];

const { query } = await openStoreAndQuery(async (under) => {
  await loadTestNetworks(under);
  await under.insert(rows);
});

const spanOf = (minutes: number) => ({
  from: new Date(FROM_MS).toISOString(),
  to: new Date(FROM_MS + minutes * MINUTE_MS).toISOString(),
});
const HOUR = spanOf(60);

const VALUES = {
  isp: ispOf,
  interface: (row: StoredRow) => row.interface,
  region: (row: StoredRow) => row.region,
  node: (row: StoredRow) => row.node,
  outcome: (row: StoredRow) => row.outcome,
};
type Name = keyof typeof VALUES;
const valuesOf = (row: StoredRow, by: readonly Name[]): string =>
  JSON.stringify(by.map((name) => VALUES[name](row)));

/** Rows of the groups that may be listed: the rule of docs/network.md, by sets of rows. */
function listedRows(own: readonly StoredRow[], by: readonly Name[]): ReadonlySet<StoredRow> {
  const groups = [...groupRows(own, (row) => valuesOf(row, by)).values()];
  const listed = new Set(groups.filter((group) => isLarge(group, MINIMUM)));
  const parents: Name[][] = by.length === 1 ? [[]] : by.map((name) => [name]);
  for (const parent of parents) {
    const families = Map.groupBy(groups, ([row]) => (row === undefined ? '' : valuesOf(row, parent)));
    for (const family of families.values()) {
      const rest = family.filter((group) => !listed.has(group));
      if (rest.length === 0) continue;
      // Groups of one provider each have no address in common; others may.
      const isEnough =
        by.length === 1 && by[0] === 'isp'
          ? isLarge(rest.flat(), MINIMUM)
          : rest.flat().length >= MINIMUM.requests &&
            rest.some((group) => isLarge(group, { ...MINIMUM, requests: 0 }));
      const [smallest] = family
        .filter((group) => listed.has(group))
        .toSorted((a, b) => a.length - b.length || (keysOf(a, by) < keysOf(b, by) ? -1 : 1));
      if (!isEnough && smallest !== undefined) listed.delete(smallest);
    }
  }
  return new Set([...listed].flat());
}

function keysOf([row]: readonly StoredRow[], by: readonly Name[]): string {
  return row === undefined ? '' : by.map((name) => VALUES[name](row)).join('\0');
}

/** What is not listed is nothing, or enough: of all, and next to each value. */
function assertRestIsEnough(own: readonly StoredRow[], by: readonly Name[], listed: ReadonlySet<StoredRow>) {
  const parents: Name[][] = by.length === 1 ? [[]] : [[], ...by.map((name): Name[] => [name])];
  for (const parent of parents) {
    for (const family of groupRows(own, (row) => valuesOf(row, parent)).values()) {
      const rest = family.filter((row) => !listed.has(row));
      // Nothing of it is listed, so there is nothing to subtract.
      const all = rest.length === family.length;
      assert.ok(
        rest.length === 0 || all || isLarge(rest, MINIMUM),
        `${rest.length} requests of ${by.join()} in ${parent.join()}`,
      );
    }
  }
}

test('groups that name a provider are listed where they meet the minimum, and no difference is below it', async () => {
  const cases: { by: Name[]; filter: Record<string, string>; keeps: (row: StoredRow) => boolean }[] = [
    { by: ['isp'], filter: {}, keeps: () => true },
    { by: ['isp'], filter: { exception: 'Rare' }, keeps: (row) => row.exception === 'Rare' },
    { by: ['isp', 'interface'], filter: {}, keeps: () => true },
    { by: ['region', 'isp'], filter: { node: 'gw-1' }, keeps: (row) => row.node === 'gw-1' },
    { by: ['isp', 'outcome'], filter: {}, keeps: () => true },
    { by: ['node'], filter: { isp: 'One' }, keeps: (row) => ispOf(row) === 'One' },
    { by: ['interface', 'outcome'], filter: { isp: 'One' }, keeps: (row) => ispOf(row) === 'One' },
  ];
  let withheld = 0;
  let listedGroups = 0;
  for (const { by, filter, keeps } of cases) {
    for (const [minutes, limits] of [
      [2, [1_000]],
      [10, [1, 1_000]],
      [60, [1_000]],
    ] as const) {
      const own = dense.filter((row) => row.time < FROM_MS + minutes * MINUTE_MS && keeps(row));
      for (const limit of limits) {
        const { data } = await readAnswer(query.app, Breakdown, `applications/${DENSE}/breakdown`, {
          ...spanOf(minutes),
          ...filter,
          group_by: by,
          limit: String(limit),
          sort: 'requests',
        });
        const groups = groupRows(own, (row) => valuesOf(row, by));
        const listed = listedRows(own, by);
        assertRestIsEnough(own, by, listed);
        const expected = new Map([...groups].filter(([, [row]]) => row !== undefined && listed.has(row)));
        const given = data.groups.map(({ group }) => JSON.stringify(by.map((name) => group[name])));
        const what = `${by.join()}, ${minutes} minutes, at most ${limit}`;
        assert.equal(given.length, Math.min(limit, expected.size), what);
        for (const [index, row] of data.groups.entries()) {
          const of = expected.get(given[index] ?? '');
          assert.ok(of !== undefined, `${what}: ${given[index]} is listed`);
          assertFigures(row, of, minutes * 60);
        }
        assert.equal(data.total.groups, groups.size);
        assertFigures(data.total, own, minutes * 60);
        const others = own.filter((row) => !given.includes(valuesOf(row, by)));
        assert.equal(data.other?.requests ?? 0, sumWeights(others), what);
        assert.equal(data.other?.withheld ?? 0, groups.size - expected.size, what);
        withheld += data.other?.withheld ?? 0;
        listedGroups += given.length;
      }
    }
  }
  assert.ok(withheld > 20 && listedGroups > 50, `${withheld} groups withheld, ${listedGroups} listed`);
});

test('groups that name no provider have no minimum', async () => {
  const { data } = await readAnswer(query.app, Breakdown, `applications/${ONE_FAMILY}/breakdown`, {
    ...HOUR,
    group_by: 'interface',
  });
  assert.deepEqual([data.groups.length, data.other], [1, null]);
});

test('where nothing may be listed all is in the others', async () => {
  const { data } = await readAnswer(query.app, Breakdown, `applications/${ONE_FAMILY}/breakdown`, {
    ...HOUR,
    group_by: ['isp', 'node'],
  });
  assert.deepEqual([data.groups, data.other?.groups, data.other?.withheld], [[], 1, 1]);
  assert.equal(data.other?.requests, 25);
});

test('a series is of a provider that meets the minimum, and that of the others says how many do not', async () => {
  const { data } = await readAnswer(query.app, Type.Array(TimePoint), `applications/${SPARSE}/timeseries`, {
    ...HOUR,
    step: '30m',
    split_by: 'isp',
  });
  // Those without a name are withheld too: alone, the ten of Two would be their difference from all.
  assert.deepEqual(
    data.map(({ group, requests, withheld }) => [group?.isp, requests, withheld]),
    [
      ['One', 40, undefined],
      ['One', 0, undefined],
      [undefined, 40, 2],
      [undefined, 0, 2],
    ],
  );
});

function askSparse(isp: string | string[], path = `applications/${SPARSE}/overview`, more = {}) {
  return query.app.inject({
    url: addressOf(path, { ...HOUR, isp, ...more }),
    headers: { authorization: `Bearer ${READ_ALL}` },
  });
}

test('a provider that network would not show is refused as a filter of every question but single requests', async () => {
  const { data } = await readAnswer(query.app, Network, `applications/${SPARSE}/network`, HOUR);
  assert.deepEqual(
    data.rows.map(({ name }) => name),
    ['One'],
  );
  assert.equal((await askSparse('One')).statusCode, 200);
  for (const isp of ['Two', '', 'Nowhere', ['One', 'Two']]) {
    const message = assertError(await askSparse(isp), 422, 'provider_too_small');
    assert.match(message, /fewer than 20 logged requests from 5 addresses/);
  }
  for (const [name, more] of Object.entries({
    interfaces: {},
    timeseries: {},
    exceptions: {},
    heatmap: {},
    network: { by: 'region' },
    breakdown: { group_by: 'node' },
  })) {
    const response = await askSparse('Two', `applications/${SPARSE}/${name}`, more);
    assertError(response, 422, 'provider_too_small');
  }
  const { data: page } = await readAnswer(query.app, RequestPage, `applications/${SPARSE}/requests`, {
    ...HOUR,
    isp: 'Two',
  });
  assert.equal(page.requests.length, 10);
});

test('with a provider as filter, groups of exceptions name neither single requests nor applications', async () => {
  const asked = { ...HOUR, isp: 'One' };
  const { data: all } = await readAnswer(query.app, Exceptions, 'fleet/exceptions', HOUR);
  assert.ok(all.groups.length > 0 && all.groups.every(({ samples }) => samples.length > 0));
  const { data } = await readAnswer(query.app, Exceptions, 'fleet/exceptions', asked);
  assert.ok(data.groups.length > 0);
  assert.ok(data.groups.every(({ samples, applications }) => samples.length === 0 && applications > 0));
  const path = `fleet/exceptions/${data.groups[0]?.id}`;
  const { data: group } = await readAnswer(query.app, ExceptionDetail, path, asked);
  assert.deepEqual(group.samples, []);
  const listed = new Map(
    group.where.map(({ by, top, total, count_left_out }) => [by, { top, total, count_left_out }]),
  );
  assert.deepEqual(listed.get('application'), { top: [], total: 1, count_left_out: group.count });
  assert.ok((listed.get('node')?.top.length ?? 0) > 0);
});

test('other filters count: a provider is refused where they leave too few of it', async () => {
  const path = `applications/${DENSE}/overview`;
  assert.equal((await askSparse('Two', path)).statusCode, 200);
  const failed = dense.filter((row) => ispOf(row) === 'Two' && row.outcome === 'service_error');
  const minutes = 6;
  const kept = failed.filter((row) => row.time < FROM_MS + minutes * MINUTE_MS);
  assert.ok(!isLarge(kept, MINIMUM) && isLarge(failed, MINIMUM));
  const filter = { ...spanOf(minutes), outcome: 'service_error' };
  assertError(await askSparse('Two', path, filter), 422, 'provider_too_small');
});

test('applications with too few requests of a provider are in the totals alone', async () => {
  const { data } = await readAnswer(query.app, FleetPage, 'applications', { ...HOUR, isp: 'One' });
  assert.deepEqual(
    new Set(data.applications.map(({ sdk_app_id }) => sdk_app_id)),
    new Set([DENSE, MIDDLING]),
  );
  // The smallest that is enough hides the one that is not.
  assert.deepEqual([data.found, data.withheld, data.totals.applications], [2, 2, 4]);
  assert.equal(data.totals.requests, sumWeights(rows.filter((row) => ispOf(row) === 'One')));
  const { data: all } = await readAnswer(query.app, FleetPage, 'applications', HOUR);
  assert.deepEqual([all.found, all.withheld], [4, undefined]);
});
