import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { InterfaceRow } from '@imscope/schemas/query-api/interfaces.js';
import { Type } from 'typebox';
import { openStoreAndQuery } from './query-under-test.js';
import { readAnswer } from './read-answer.js';
import { groupRows, sumWeights } from './recompute.js';
import { metricsOf, sample, single } from './stored-metric.js';
import { seededRows, type StoredRow, storedRow } from './stored-row.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOW_MINUTE = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
/** A window of an hour, settled, with two hours of requests before it. */
const TO_MS = NOW_MINUTE - 3 * HOUR_MS + 7_654;
const FROM_MS = TO_MS - HOUR_MS;
const SECONDS = 3_600;
const HOUR = { from: new Date(FROM_MS).toISOString(), to: new Date(TO_MS).toISOString() };
const LONG = { ...HOUR, from: new Date(FROM_MS - HOUR_MS).toISOString() };
const LOGGED = 101;
const SAMPLED = 102;
const WAITING = 'openim/longpoll';
const WAITING_EVERYWHERE = 'openim/getevents';

const rowsOf = (sdkAppId: number): StoredRow[] =>
  single(seededRows({ seed: sdkAppId, count: 9_000, sdkAppId, fromMs: FROM_MS - 2 * HOUR_MS, toMs: TO_MS }));
const logged = [
  ...rowsOf(LOGGED),
  // 100 requests a second in one second; a tenth of each later hundred fails; slow now where fast before.
  ...Array.from({ length: 170 }, (_, index) =>
    storedRow({
      time: FROM_MS + 600_000 - ((FROM_MS + 600_000) % 1_000) + (index % 1_000),
      sdk_app_id: LOGGED,
      interface: 'sns/friend_add',
    }),
  ),
  ...[0, HOUR_MS].flatMap((earlierMs) =>
    Array.from({ length: 600 }, (_, index) =>
      [WAITING, WAITING_EVERYWHERE, 'sns/friend_get']
        .map((name) =>
          storedRow({
            time: FROM_MS - earlierMs + index * 5_000,
            sdk_app_id: LOGGED,
            interface: name,
            latency_us: (earlierMs === 0 ? 60_000 : 20_000) + (index % 7) * 1_000,
            ...(earlierMs === 0 && index % 10 === 0
              ? { code: 91_000, outcome: 'service_error' as const }
              : {}),
          }),
        )
        .flat(),
    ).flat(),
  ),
  storedRow({ time: FROM_MS + 1, sdk_app_id: LOGGED, interface: 'callback/State.StateChange' }),
];
const requests = rowsOf(SAMPLED);
const kept = sample(requests, 7);

const { query } = await openStoreAndQuery(
  async (store) => {
    await store.insert([...logged, ...kept]);
    const metrics = metricsOf(requests, kept);
    await store.client.insert({ table: 'interface_metric', values: metrics, format: 'JSONEachRow' });
    const path = store.environment['REGISTRY_FILE'] ?? '';
    const file: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const interfaces = { [WAITING]: { waits: true }, 'sns/friend_add': { limit_per_second: 210 } };
    const applications = [{ sdk_app_id: LOGGED, interfaces }];
    writeFileSync(path, JSON.stringify(Object.assign({}, file, { applications })));
  },
  { WAITING_INTERFACES: `${WAITING_EVERYWHERE},other/poll` },
);

async function askInterfaces(sdkAppId: number, window: { from: string; to: string }) {
  const rows = Type.Array(InterfaceRow);
  const answer = await readAnswer(query.app, rows, `applications/${sdkAppId}/interfaces`, window);
  const row = (name: string): InterfaceRow => {
    const found = answer.data.find((one) => one.interface === name);
    assert.ok(found, name);
    return found;
  };
  return { ...answer, row };
}

const between = (rows: readonly StoredRow[], fromMs: number, toMs: number): StoredRow[] =>
  rows.filter(({ time }) => time >= fromMs && time < toMs);
const averageMs = (rows: readonly StoredRow[]): number =>
  rows.reduce((sum, row) => sum + row.latency_us, 0) / rows.length / 1_000;
function assertNear(given: number | null | undefined, expected: number): void {
  assert.ok(
    typeof given === 'number' && Math.abs(given - expected) <= 1e-9 * Math.abs(expected) + 1e-12,
    `${given} is not ${expected}`,
  );
}

test('each interface is compared with the span of equal length before', async () => {
  const { data } = await askInterfaces(LOGGED, HOUR);
  for (const { interface: name, change, ...now } of data) {
    const own = logged.filter((row) => row.interface === name);
    const before = between(own, FROM_MS - HOUR_MS, FROM_MS);
    assert.ok(change);
    assertNear(change.requests_per_s.before, sumWeights(before) / SECONDS);
    assertNear(change.requests_per_s.difference, (now.requests - sumWeights(before)) / SECONDS);
    const success = before.filter(({ outcome }) => outcome === 'success').length;
    const failed = before.filter(({ outcome }) => outcome === 'service_error').length;
    if (success + failed === 0) {
      assert.deepEqual([change.success_rate.before, change.success_rate.difference], [null, null]);
      assert.equal(change.latency_avg_ms?.before, null);
      continue;
    }
    assertNear(change.success_rate.before, success / (success + failed));
    assertNear(change.success_rate.difference, (now.success_rate ?? 0) - success / (success + failed));
    if (now.waits) continue;
    assertNear(change.latency_avg_ms?.before, averageMs(before));
    assertNear(change.latency_avg_ms?.difference, (now.latency_ms.avg ?? 0) - averageMs(before));
  }
});

test('a change that chance does not explain is told from one that it does', async () => {
  const { row } = await askInterfaces(LOGGED, HOUR);
  const worse = row('sns/friend_get').change;
  assert.equal(worse?.success_rate.is_beyond_chance, true);
  assert.equal(worse.latency_avg_ms?.is_beyond_chance, true);
  assert.equal(worse.requests_per_s.is_beyond_chance, false);
  const same = row('openim/sendmsg').change;
  assert.equal(same?.success_rate.is_beyond_chance, false);
  assert.equal(same.latency_avg_ms?.is_beyond_chance, false);
  assert.equal(row('sns/friend_add').change?.requests_per_s.is_beyond_chance, true);
});

test('the delay of interfaces that wait on purpose is not compared, whoever marked them', async () => {
  const { row } = await askInterfaces(LOGGED, HOUR);
  for (const name of [WAITING, WAITING_EVERYWHERE]) {
    assert.equal(row(name).waits, true);
    assert.equal(row(name).change?.latency_avg_ms, null);
    assert.equal(row(name).change?.success_rate.is_beyond_chance, true);
  }
  assert.equal(row('sns/friend_get').waits, false);
});

test('a window before which nothing is kept is not compared', async () => {
  const { data } = await askInterfaces(LOGGED, { from: 'now-7d', to: HOUR.to });
  assert.ok(data.length > 0);
  for (const { change } of data) assert.equal(change, null);
});

/** The most requests of one interface in a second or a minute. */
function peakOf(rows: readonly StoredRow[], seconds: number): number {
  const ticks = groupRows(rows, ({ time }) => Math.floor(time / seconds / 1_000));
  return Math.max(...[...ticks.values()].map(sumWeights)) / seconds;
}

test('the peak of an hour is that of its busiest second, of a longer window that of its busiest minute', async () => {
  for (const [window, seconds, fromMs] of [
    [HOUR, 1, FROM_MS],
    [LONG, 60, FROM_MS - HOUR_MS],
  ] as const) {
    const { data } = await askInterfaces(LOGGED, window);
    for (const { interface: name, load } of data) {
      const own = between(logged, fromMs, TO_MS).filter((row) => row.interface === name);
      assertNear(load.peak_per_s, peakOf(own, seconds));
      assert.equal(load.peak_over_s, seconds);
      assert.equal(load.peak_since, window.from);
      const atMs = Date.parse(load.peak_at ?? '');
      assertNear(load.peak_per_s, sumWeights(between(own, atMs, atMs + seconds * 1_000)) / seconds);
    }
  }
});

test('of sampled requests the peak is counted by the minute, from the metrics', async () => {
  const { data, window } = await askInterfaces(SAMPLED, HOUR);
  assert.equal(window.source, 'both');
  for (const { interface: name, load } of data) {
    assert.equal(load.peak_over_s, 60);
    // The window begins and ends within a minute: these two are in the logs, as estimates.
    const whole = between(
      requests,
      Math.ceil(FROM_MS / MINUTE_MS) * MINUTE_MS,
      Math.floor(TO_MS / MINUTE_MS) * MINUTE_MS,
    );
    const own = whole.filter((row) => row.interface === name);
    assertNear(load.peak_per_s, peakOf(own, 60));
  }
});

test('of more than a day the last day is looked at for peaks', async () => {
  const { data } = await askInterfaces(LOGGED, { from: 'now-3d', to: HOUR.to });
  for (const { load } of data) {
    const aheadMs = Date.parse(load.peak_since) - (TO_MS - 24 * HOUR_MS);
    assert.ok(aheadMs > 0 && aheadMs <= MINUTE_MS, `${aheadMs} ms`);
  }
});

test('a peak is compared with the application’s own limit, else with the published one, and near it is said', async () => {
  const { row } = await askInterfaces(LOGGED, HOUR);
  const near = row('sns/friend_add').load;
  assert.deepEqual([near.limit_per_s, near.is_own_limit, near.peak_per_s], [210, true, 170]);
  assert.deepEqual([near.share_of_limit, near.is_near_limit], [170 / 210, true]);
  const published = row('openim/sendmsg').load;
  assert.deepEqual(
    [published.limit_per_s, published.is_own_limit, published.is_near_limit],
    [200, false, false],
  );
  const callback = row('callback/State.StateChange').load;
  assert.deepEqual(
    [callback.limit_per_s, callback.share_of_limit, callback.is_near_limit],
    [null, null, false],
  );
});
