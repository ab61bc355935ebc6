import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Breakdown, BREAKDOWN_SORTS, type BreakdownRow } from '@imscope/schemas/query-api/breakdown.js';
import { Network } from '@imscope/schemas/query-api/network.js';
import { RequestPage } from '@imscope/schemas/query-api/requests.js';
import { ispOf, loadTestNetworks, networkRows, placeOf } from './network-rows.js';
import { CELL_MS, isLarge, PublishedReference } from './published-reference.js';
import { openStoreAndQuery, READ_ALL, READ_FEW } from './query-under-test.js';
import { addressOf, assertError, readAnswer } from './read-answer.js';
import { groupRows, sumWeights } from './recompute.js';
import type { StoredRow } from './stored-row.js';

const HOUR_MS = 3_600_000;
const MINIMUM = { requests: 20, addresses: 5 };
const FROM_MS = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 6 * HOUR_MS;
const TO_MS = FROM_MS + 2 * HOUR_MS;
const ONE = 101;
const OTHER = 102;
const UNREADABLE = 103;

const rowsOf = (sdkAppId: number, count: number): StoredRow[] =>
  networkRows({ seed: sdkAppId, count, sdkAppId, fromMs: FROM_MS, toMs: TO_MS });
const own = rowsOf(ONE, 9_000);
const others = rowsOf(OTHER, 6_000);
const { query } = await openStoreAndQuery(async (under) => {
  await loadTestNetworks(under);
  await under.insert([...own, ...others, ...rowsOf(UNREADABLE, 3_000)]);
});
const references = new Map([
  [ONE, new PublishedReference(own, placeOf, MINIMUM)],
  [OTHER, new PublishedReference(others, placeOf, MINIMUM)],
]);
const INTERFACES = [...new Set(own.map((row) => row.interface))];
const WINDOWS = [
  [FROM_MS, TO_MS],
  [FROM_MS, FROM_MS + HOUR_MS],
  [FROM_MS + 3 * CELL_MS, FROM_MS + 5 * CELL_MS],
] as const;

const spanOf = ([fromMs, toMs]: readonly [number, number]) => ({
  from: new Date(fromMs).toISOString(),
  to: new Date(toMs).toISOString(),
});
const WINDOW = spanOf(WINDOWS[0]);
const prefixOf = (row: StoredRow): string => placeOf(row).prefix;

type Parameters = Record<string, string | string[]>;
async function askOne(parameters: Parameters, span = WINDOW): Promise<Breakdown> {
  const path = `applications/${ONE}/breakdown`;
  return (await readAnswer(query.app, Breakdown, path, { ...span, limit: '1000', ...parameters })).data;
}
function refusedOne(parameters: Parameters, path = `applications/${ONE}/breakdown`) {
  const headers = { authorization: `Bearer ${READ_ALL}` };
  return query.app.inject({ url: addressOf(path, { ...WINDOW, ...parameters }), headers });
}

function shownOf(sdkAppId: number, [fromMs, toMs]: readonly [number, number], interfaces: string[] = []) {
  return references.get(sdkAppId)?.shown(fromMs, toMs, interfaces) ?? [];
}
const within = (rows: readonly StoredRow[], [fromMs, toMs]: readonly [number, number]): StoredRow[] =>
  rows.filter(({ time }) => time >= fromMs && time < toMs);
const ofOutcome = (rows: readonly StoredRow[], outcome: string): number =>
  sumWeights(rows.filter((row) => row.outcome === outcome));

/** Compares the groups with the rows that each may count, the others with the rest, and the total with all. */
function assertGroups(
  data: Breakdown,
  all: readonly StoredRow[],
  shown: readonly StoredRow[],
  keyOf: (row: StoredRow) => string,
  givenKey: (row: BreakdownRow) => string,
): void {
  const expected = groupRows(shown, keyOf);
  assert.deepEqual(data.groups.map(givenKey).toSorted(), [...expected.keys()].toSorted());
  const [failures, successes] = [ofOutcome(all, 'service_error'), ofOutcome(all, 'success')];
  const assertSums = (given: Omit<BreakdownRow, 'group'>, of: readonly StoredRow[]): void => {
    const latencyUs = of.reduce((sum, row) => sum + row.latency_us * row.weight, 0);
    assert.equal(given.requests, sumWeights(of));
    assert.equal(given.outcomes.service_error, ofOutcome(of, 'service_error'));
    assert.equal(given.outcomes.success, ofOutcome(of, 'success'));
    assert.equal(given.latency_ms.avg, latencyUs / sumWeights(of) / 1_000);
    assert.equal(given.share_of_requests, sumWeights(of) / sumWeights(all));
    assert.equal(given.share_of_failures, ofOutcome(of, 'service_error') / failures);
    assert.equal(given.share_of_successes, ofOutcome(of, 'success') / successes);
  };
  for (const row of data.groups) {
    const of = expected.get(givenKey(row)) ?? [];
    assert.ok(isLarge(of, MINIMUM), `${givenKey(row)} has ${of.length} requests`);
    assertSums(row, of);
  }
  const counted = new Set(shown);
  const rest = all.filter((row) => !counted.has(row));
  assert.ok(data.other !== null && isLarge(rest, MINIMUM), `${rest.length} requests are in no group`);
  assertSums(data.other, rest);
  assert.deepEqual([data.other.groups, data.other.withheld], [0, null]);
  assert.equal(data.total.requests, sumWeights(all));
  assert.equal(data.total.groups, expected.size);
}

test('groups by prefix are those of network: of published blocks, with their ids', async () => {
  for (const window of WINDOWS) {
    const data = await askOne({ group_by: 'prefix' }, spanOf(window));
    const shown = shownOf(ONE, window);
    assertGroups(data, within(own, window), shown, prefixOf, ({ group }) => group.prefix ?? '');
    const { data: networks } = await readAnswer(query.app, Network, `applications/${ONE}/network`, {
      ...spanOf(window),
      by: 'prefix',
    });
    const figures = new Map(
      networks.rows.map((row) => [row.name, [row.requests, row.latency_ms.p95, row.id]]),
    );
    assert.deepEqual(
      new Map(
        data.groups
          .map(
            ({ group, requests, latency_ms, network }) =>
              [group.prefix, [requests, latency_ms.p95, network]] as const,
          )
          .toSorted(
            ([a], [b]) => [...figures.keys()].indexOf(a ?? '') - [...figures.keys()].indexOf(b ?? ''),
          ),
      ),
      figures,
    );
    for (const { latency_ms } of data.groups) {
      assert.deepEqual(
        [latency_ms.p50, latency_ms.p90, latency_ms.p99, latency_ms.max],
        [null, null, null, null],
      );
    }
  }
});

test('by prefix and interface a group is what the filter by this interface gives, and no difference is below the minimum', async () => {
  let differences = 0;
  for (const window of WINDOWS) {
    const span = spanOf(window);
    const data = await askOne({ group_by: ['prefix', 'interface'] }, span);
    const shown = shownOf(ONE, window, INTERFACES);
    assertGroups(
      data,
      within(own, window),
      shown,
      (row) => `${prefixOf(row)} ${row.interface}`,
      ({ group }) => `${group.prefix} ${group.interface}`,
    );
    const parts = new Set(shown);
    for (const [prefix, rows] of groupRows(shownOf(ONE, window), prefixOf)) {
      const rest = rows.filter((row) => !parts.has(row));
      if (rest.length === 0 || rest.length === rows.length) continue;
      differences++;
      assert.ok(isLarge(rest, MINIMUM), `${prefix} without its interfaces has ${rest.length} requests`);
    }
    for (const name of INTERFACES) {
      const filtered = await askOne({ group_by: 'prefix', interface: name }, span);
      assert.deepEqual(
        new Map(filtered.groups.map(({ group, outcomes }) => [group.prefix, outcomes])),
        new Map(
          data.groups
            .filter(({ group }) => group.interface === name)
            .map(({ group, outcomes }) => [group.prefix, outcomes]),
        ),
      );
      assert.equal(
        filtered.total.requests,
        sumWeights(within(own, window).filter((row) => row.interface === name)),
      );
    }
  }
  assert.ok(differences > 2, `${differences} differences were looked at`);
});

test('by prefix and application the fleet has the groups of each application that the caller may read', async () => {
  const { data } = await readAnswer(
    query.app,
    Breakdown,
    'fleet/breakdown',
    { ...WINDOW, group_by: ['application', 'prefix'], limit: '1000' },
    READ_FEW,
  );
  const shown = [ONE, OTHER].flatMap((id) => shownOf(id, WINDOWS[0]));
  assertGroups(
    data,
    [...own, ...others],
    shown,
    (row) => `${row.sdk_app_id} ${prefixOf(row)}`,
    ({ group }) => `${group.application} ${group.prefix}`,
  );
  assert.ok(data.groups.every(({ group, application }) => application?.sdk_app_id === group.application));
});

test('by prefix and provider, each prefix has the provider that it belongs to', async () => {
  const alone = await askOne({ group_by: 'prefix' });
  const data = await askOne({ group_by: ['isp', 'prefix'] });
  const ispOfPrefix = new Map(own.map((row) => [prefixOf(row), ispOf(row)]));
  assert.ok(data.groups.length > 5);
  for (const { group } of data.groups) assert.equal(group.isp, ispOfPrefix.get(group.prefix ?? ''));
  assert.deepEqual(
    data.groups.map(({ group: { prefix }, requests }) => [prefix, requests]),
    alone.groups.map(({ group: { prefix }, requests }) => [prefix, requests]),
  );
});

test('groups by prefix come in the order asked for, and those beyond the limit are in the others', async () => {
  const keys: Record<(typeof BREAKDOWN_SORTS)[number], (row: BreakdownRow) => number> = {
    lost: ({ outcomes }) => -outcomes.service_error,
    requests: ({ requests }) => -requests,
    success_rate: ({ success_rate }) => success_rate ?? 2,
    latency_avg: ({ latency_ms }) => -(latency_ms.avg ?? 0),
  };
  for (const sort of BREAKDOWN_SORTS) {
    const all = await askOne({ group_by: 'prefix', sort });
    const order = all.groups.map(keys[sort]);
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
    const some = await askOne({ group_by: 'prefix', sort, limit: '3' });
    assert.deepEqual(some.groups, all.groups.slice(0, 3));
    assert.equal(some.other?.groups, all.groups.length - 3);
    const listed = some.groups.reduce((sum, { requests }) => sum + requests, 0);
    assert.equal(listed + (some.other?.requests ?? 0), some.total.requests);
  }
});

test('the id of a group filters single requests', async () => {
  const { groups } = await askOne({ group_by: 'prefix', limit: '1' });
  const [first] = groups;
  const { data } = await readAnswer(query.app, RequestPage, `applications/${ONE}/requests`, {
    ...WINDOW,
    network: first?.network ?? '',
    limit: '1000',
  });
  assert.ok(data.requests.length > 0);
  assert.ok(data.requests.every(({ exit_ip }) => exit_ip === first?.group.prefix));
});

test('a prefix is not grouped with anything else, and takes no filter but interfaces', async () => {
  for (const other of ['node', 'code', 'outcome', 'region', 'exception', 'platform', 'sdk_version']) {
    const message = assertError(await refusedOne({ group_by: ['prefix', other] }), 400, 'invalid_parameter');
    assert.match(
      message,
      new RegExp(`prefix and ${other}: a prefix is divided by interface, isp, application alone`),
    );
  }
  for (const filter of [{ node: 'gw-1' }, { isp: 'One' }, { code: '0' }, { exception: '' }]) {
    assertError(await refusedOne({ group_by: 'prefix', ...filter }), 400, 'prefix_filter_not_allowed');
  }
  const posted = await query.app.inject({
    method: 'POST',
    url: `/v1/applications/${ONE}/breakdown`,
    headers: { authorization: `Bearer ${READ_ALL}` },
    payload: { ...WINDOW, group_by: ['prefix'], prefix: ['20.0.0.0/24'] },
  });
  assert.ok(!assertError(posted, 400, 'prefix_filter_not_allowed').includes('20.0.0'));
  assertError(
    await refusedOne({ split_by: 'prefix' }, `applications/${ONE}/timeseries`),
    400,
    'invalid_parameter',
  );
});

test('times as numbers are no filter of prefixes', async () => {
  for (const path of [`applications/${ONE}/breakdown`, `applications/${ONE}/network`]) {
    const by = path.endsWith('network') ? { by: 'prefix' } : { group_by: 'prefix' };
    const response = await refusedOne({ ...by, times: 'epoch_ms' }, path);
    assert.equal(response.statusCode, 200, response.body);
    assert.deepEqual(response.json<{ window: { from: number } }>().window.from, FROM_MS);
  }
});
