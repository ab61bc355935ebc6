import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { differsInSuccessRate } from '@imscope/schemas/change.js';
import { compareWorstFirst, healthOf, SILENT_FROM } from '@imscope/schemas/health.js';
import { FleetPage, type FleetSort } from '@imscope/schemas/query-api/applications.js';
import { openQuery, openStoreAndQuery, READ_ALL, READ_FEW } from './query-under-test.js';
import { addressOf, assertError, readAnswer } from './read-answer.js';
import { assertFigures, groupRows, sumWeights } from './recompute.js';
import { seededRows, type StoredRow, storedRow } from './stored-row.js';

const MINUTE_MS = 60_000;
const TO_MS = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 120 * MINUTE_MS;
const SPAN_MS = 40 * MINUTE_MS;
const FROM_MS = TO_MS - SPAN_MS;
const WINDOW = { from: new Date(FROM_MS).toISOString(), to: new Date(TO_MS).toISOString() };
const SECONDS = SPAN_MS / 1_000;

/** Applications of every size, now and in the span before. The last ones had requests before only. */
const SILENT = 140;
const NEARLY_SILENT = 141;
const rows: readonly StoredRow[] = [
  ...Array.from({ length: 30 }, (_, index) => {
    const of = (seed: number, count: number, fromMs: number): StoredRow[] =>
      seededRows({ seed, count, sdkAppId: 101 + index, fromMs, toMs: fromMs + SPAN_MS });
    return [...of(index, 2 + index * 9, FROM_MS), ...of(100 + index, 300 - index * 9, FROM_MS - SPAN_MS)];
  }).flat(),
  // At its target, and far below it.
  ...[
    { sdk_app_id: 131, outcome: 'success' as const, weight: 5_000 },
    { sdk_app_id: 132, outcome: 'success' as const, weight: 5_000 },
    { sdk_app_id: 132, outcome: 'service_error' as const, weight: 50 },
    { sdk_app_id: 133, outcome: 'unknown' as const, weight: 70 },
  ].map((row, index) => storedRow({ time: FROM_MS + index, ...row, block_row: index })),
  ...[
    { sdk_app_id: SILENT, weight: SILENT_FROM },
    { sdk_app_id: NEARLY_SILENT, weight: SILENT_FROM - 1 },
    { sdk_app_id: 132, weight: 5_000 },
  ].map((row, index) => storedRow({ time: FROM_MS - SPAN_MS + index, ...row, block_row: 10 + index })),
];
const nameOf = (sdkAppId: number): string => (sdkAppId % 2 === 0 ? '' : `Chat №${200 - sdkAppId}`);

const { store, query } = await openStoreAndQuery(async (store) => {
  await store.insert(rows);
  await store.client.insert({
    table: 'application_detail',
    values: [...new Set(rows.map((row) => row.sdk_app_id))].map((sdk_app_id) => ({
      sdk_app_id,
      name: nameOf(sdk_app_id),
      package: sdk_app_id < 110 ? 'pro' : 'trial',
      owner: sdk_app_id === 120 ? 'Zahlungen' : '',
      region: 'singapore',
      runbook_url: '',
      links: JSON.stringify([
        { title: 'Board', url: 'https://board.example/{sdk_app_id}?from={from_ms}&to={to_ms}' },
        { title: 'Trace', url: 'https://trace.example/{request_id}' },
      ]),
      revision: 1,
      deleted: false,
    })),
    format: 'JSONEachRow',
  });
});

type Values = Readonly<Record<string, string | readonly string[]>>;

async function ask(values: Values = {}, token = READ_ALL, app = query.app): Promise<FleetPage> {
  const { data } = await readAnswer(app, FleetPage, 'applications', { ...WINDOW, ...values }, token);
  return data;
}

const inWindow = ({ time }: StoredRow): boolean => time >= FROM_MS && time < TO_MS;
const own = groupRows(rows.filter(inWindow), (row) => row.sdk_app_id);
const before = groupRows(
  rows.filter((row) => !inWindow(row)),
  (row) => row.sdk_app_id,
);

function countsOf(stored: readonly StoredRow[]) {
  const of = (outcome: StoredRow['outcome']): number =>
    sumWeights(stored.filter((row) => row.outcome === outcome));
  return { success: of('success'), service_error: of('service_error') };
}

const idsOf = (page: FleetPage): number[] => page.applications.map((row) => row.sdk_app_id);

test('every row and the totals equal a recomputation from the logs', async () => {
  const page = await ask({ step: '5m' });
  assert.equal(page.found, own.size + 1, 'those with requests, and the one that fell silent');
  const heard = page.applications.filter((row) => row.health.reason !== 'fell_silent');
  assert.equal(heard.length, own.size);
  for (const row of heard) {
    const stored = own.get(row.sdk_app_id) ?? [];
    assertFigures(row, stored, SECONDS);
    const counts = countsOf(stored);
    const { tier, reason } = healthOf(counts);
    assert.deepEqual([row.health.tier, row.health.reason], [tier, reason]);
    assert.equal(row.interfaces, new Set(stored.map((one) => one.interface)).size);
    assert.equal(Date.parse(row.last_seen), Math.max(...stored.map(({ time }) => time)));
    const rate = row.success_rate;
    if (rate === null) assert.equal(row.success_rate_interval, null);
    else {
      const { low = 1, high = 0 } = row.success_rate_interval ?? {};
      assert.ok(low <= rate && rate <= high);
    }
  }
  const { totals } = page;
  const all = rows.filter(inWindow);
  assert.equal(totals.applications, own.size + 1);
  assert.equal(totals.requests, sumWeights(all));
  assert.equal(totals.requests_per_s, sumWeights(all) / SECONDS);
  const { success, service_error: errors } = countsOf(all);
  assert.deepEqual([totals.outcomes.success, totals.outcomes.service_error], [success, errors]);
  assert.equal(totals.success_rate, success / (success + errors));
  const latencyMs = all.reduce((sum, row) => sum + row.latency_us * row.weight, 0) / 1_000;
  assert.ok(Math.abs((totals.latency_ms.avg ?? 0) - latencyMs / totals.requests) < 1e-6);
  assert.equal(totals.latency_ms.max, Math.max(...all.map((row) => row.latency_us)) / 1_000);
  const tiers = { failing: 0, degraded: 0, healthy: 0, unjudged: 1 };
  for (const stored of own.values()) tiers[healthOf(countsOf(stored)).tier] += 1;
  assert.deepEqual(totals.tiers, tiers);
});

test('each row says what changed against the span before, and whether chance explains it', async () => {
  const page = await ask();
  assert.deepEqual(page.compared_with, {
    from: new Date(FROM_MS - SPAN_MS).toISOString(),
    to: WINDOW.from,
  });
  for (const row of page.applications) {
    const [now, then] = [own.get(row.sdk_app_id) ?? [], before.get(row.sdk_app_id) ?? []];
    const { requests_per_s: rate, success_rate: success } = row.change ?? assert.fail('no change');
    assert.equal(rate.before, sumWeights(then) / SECONDS);
    assert.equal(rate.difference, sumWeights(now) / SECONDS - sumWeights(then) / SECONDS);
    assert.equal(success.is_beyond_chance, differsInSuccessRate(countsOf(now), countsOf(then)));
  }
  const fell = page.applications.find((row) => row.sdk_app_id === 132)?.change?.success_rate;
  assert.equal(fell?.is_beyond_chance, true);
  assert.equal(fell?.difference, 5_000 / 5_050 - 1);
});

test('a span of more than a day is not compared unless it is sorted by change', async () => {
  const long = { from: new Date(TO_MS - 30 * 60 * MINUTE_MS).toISOString(), step: '1h' };
  const page = await ask(long);
  assert.equal(page.compared_with, null);
  assert.ok(page.applications.every((row) => row.change === null));
  assert.notEqual((await ask({ ...long, sort: 'change' })).compared_with, null);
});

test('an application that fell silent is listed, one whose silence chance explains is not', async () => {
  const page = await ask({ reason: 'fell_silent' });
  assert.deepEqual(idsOf(page), [SILENT]);
  assert.equal(page.totals.fell_silent, 1);
  const [row] = page.applications;
  assert.deepEqual(row?.requests, 0);
  assert.equal(row?.health.tier, 'unjudged');
  assert.match(row?.health.text ?? '', new RegExp(`no request, after ${SILENT_FROM} in the span before`));
  assert.equal(Date.parse(row?.last_seen ?? ''), FROM_MS - SPAN_MS);
});

/** The recomputed value of a sort; null comes last. */
const VALUES: Readonly<Partial<Record<FleetSort, (stored: readonly StoredRow[]) => number | null>>> = {
  requests: sumWeights,
  service_errors: (stored) => countsOf(stored).service_error,
  success_rate: (stored) => {
    const { success, service_error: errors } = countsOf(stored);
    return success + errors === 0 ? null : success / (success + errors);
  },
  delay_avg: (stored) =>
    stored.length === 0
      ? null
      : stored.reduce((sum, row) => sum + row.latency_us * row.weight, 0) / sumWeights(stored),
};

test('the service sorts by each figure in both directions, what has no value last', async () => {
  for (const [sort, valueOf] of Object.entries(VALUES)) {
    for (const order of ['asc', 'desc']) {
      const values = idsOf(await ask({ sort, order })).map((id) => valueOf(own.get(id) ?? []));
      const known = values.filter((value) => value !== null);
      assert.deepEqual(values.slice(known.length), values.slice(known.length).fill(null));
      assert.deepEqual(
        known,
        known.toSorted((a, b) => (order === 'asc' ? a - b : b - a)),
        `${sort} ${order}`,
      );
    }
  }
});

test('the order by a percentile is that of the percentiles shown', async () => {
  for (const name of ['p50', 'p95', 'p99'] as const) {
    const { applications } = await ask({ sort: `delay_${name}` });
    const shown = applications.map((row) => row.latency_ms[name]).filter((value) => value !== null);
    assert.equal(shown.length, own.size);
    assert.deepEqual(
      shown,
      shown.toSorted((a, b) => b - a),
    );
  }
});

test('worst first is the order of health, and sorted by change the one that fell most is first', async () => {
  const ranked = [...own]
    .map(([id, stored]) => ({ id, requests: sumWeights(stored), outcomes: countsOf(stored) }))
    .toSorted((a, b) => compareWorstFirst(a, b) || a.id - b.id);
  assert.deepEqual(
    idsOf(await ask()).filter((id) => id !== SILENT),
    ranked.map(({ id }) => id),
  );
  const [first] = idsOf(await ask({ sort: 'change' }));
  const fallen = [...own].map(([id, stored]) => {
    const [now, then] = [countsOf(stored), countsOf(before.get(id) ?? [])];
    return { id, more: differsInSuccessRate(now, then) ? now.service_error - then.service_error : 0 };
  });
  assert.equal(first, fallen.toSorted((a, b) => b.more - a.more || a.id - b.id)[0]?.id);
});

test('the search finds parts of id, name, owner and package, whatever the case', async () => {
  assert.deepEqual(idsOf(await ask({ search: 'chat №75' })), [125]);
  assert.deepEqual(idsOf(await ask({ search: 'ZAHLUNG' })), [120]);
  assert.deepEqual(idsOf(await ask({ search: '13', sort: 'id' })), [113, 130, 131, 132, 133]);
  assert.equal((await ask({ search: 'PRO' })).found, 9);
  const none = await ask({ search: 'nothing' });
  assert.deepEqual([none.found, none.next_cursor, none.totals.applications], [0, null, own.size + 1]);
});

test('names sort without regard to case, those without a name last', async () => {
  const { applications } = await ask({ sort: 'name' });
  const names = applications.map(({ name }) => name);
  const known = names.filter((name) => name !== '');
  assert.deepEqual(names, [...known.toSorted(), ...names.filter((name) => name === '')]);
});

test('filters of an application are filters of the fleet', async () => {
  for (const filter of [
    { node: 'gw-2' },
    { region: 'south', interface: ['openim/sendmsg', 'profile/portrait_set'] },
    { code: ['91000', 'none'], outcome: 'service_error' },
    { platform: 'web', sdk_version: '8.2.0' },
  ]) {
    const kept = rows.filter(inWindow).filter((row) =>
      Object.entries(filter).every(([name, value]) => {
        const one = Reflect.get(row, name);
        return [value].flat().includes(one === null ? 'none' : String(one));
      }),
    );
    const byApplication = groupRows(kept, (row) => row.sdk_app_id);
    const page = await ask(filter);
    assert.equal(page.totals.requests, sumWeights(kept), JSON.stringify(filter));
    for (const row of page.applications) {
      if (row.requests === 0) continue;
      assertFigures(row, byApplication.get(row.sdk_app_id) ?? [], SECONDS);
    }
  }
});

test('pages follow one another by cursor and by offset, without gap or repetition', async () => {
  const whole = idsOf(await ask({ sort: 'requests' }));
  const found: number[] = [];
  let cursor: string | null = null;
  do {
    const page: FleetPage = await ask({
      sort: 'requests',
      limit: '7',
      ...(cursor === null ? {} : { cursor }),
    });
    found.push(...idsOf(page));
    cursor = page.next_cursor;
  } while (cursor !== null);
  assert.deepEqual(found, whole);
  assert.deepEqual(idsOf(await ask({ sort: 'requests', offset: '5', limit: '4' })), whole.slice(5, 9));
  assert.deepEqual(idsOf(await ask({ offset: '1000' })), []);
});

test('a cursor keeps the window of its first page', async () => {
  const relative = { from: 'now-6h', limit: '3', step: '1h' };
  const first = await readAnswer(query.app, FleetPage, 'applications', relative);
  const cursor = first.data.next_cursor ?? '';
  const second = await readAnswer(query.app, FleetPage, 'applications', {
    ...relative,
    from: 'now-1h',
    cursor,
  });
  assert.deepEqual([second.window.from, second.window.to], [first.window.from, first.window.to]);
});

test('a cursor of other filters or another order, one that was altered, and one beside an offset are refused', async () => {
  const cursor = (await ask({ limit: '3' })).next_cursor ?? '';
  const altered = `${cursor.slice(0, 5)}${cursor[5] === 'A' ? 'B' : 'A'}${cursor.slice(6)}`;
  for (const values of [
    { cursor, sort: 'requests' },
    { cursor, node: 'gw-1' },
    { cursor: altered },
    { cursor, offset: '3' },
  ]) {
    const response = await query.app.inject({
      url: addressOf('applications', { ...WINDOW, ...values }),
      headers: { authorization: `Bearer ${READ_ALL}` },
    });
    assertError(response, 400, 'invalid_parameter');
  }
});

test('links that the window fills are filled, others are left out', async () => {
  const [row] = (await ask({ search: '125' })).applications;
  assert.deepEqual(row?.links, [
    { title: 'Board', url: `https://board.example/125?from=${FROM_MS}&to=${TO_MS}` },
  ]);
});

test('a token sees the totals of its own applications alone', async () => {
  const page = await ask({}, READ_FEW);
  assert.deepEqual(
    idsOf(page).toSorted((a, b) => a - b),
    [101, 102],
  );
  const stored = [...(own.get(101) ?? []), ...(own.get(102) ?? [])];
  assert.equal(page.totals.requests, sumWeights(stored));
});

/** How many queries of this name the store was asked. */
async function asked(name: string, of: typeof query): Promise<number> {
  const text = await of.registry.metrics();
  const line = new RegExp(
    `^imscope_query_store_query_seconds_count\\{[^}]*question="${name}"[^}]*\\} (\\d+)$`,
    'm',
  );
  return Number(line.exec(text)?.[1] ?? 0);
}

test('callers at once, orders, searches and pages of one window are one computation', async () => {
  const own = await openQuery(store.environment);
  after(() => own.close());
  const values: Values[] = [
    {},
    {},
    { sort: 'requests' },
    { search: 'chat' },
    { limit: '5' },
    { limit: '5', offset: '5' },
  ];
  await Promise.all(values.map((one) => ask(one, READ_ALL, own.app)));
  for (const one of values) await ask(one, READ_ALL, own.app);
  // The window and the span before.
  assert.equal(await asked('fleet_sums', own), 2);
  await ask({}, READ_FEW, own.app);
  assert.equal(await asked('fleet_sums', own), 4, 'another scope is another computation');
});
