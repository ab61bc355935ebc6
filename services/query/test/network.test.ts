import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Network, type NetworkRow } from '@imscope/schemas/query-api/network.js';
import { RequestPage } from '@imscope/schemas/query-api/requests.js';
import { Overview } from '@imscope/schemas/query-api/overview.js';
import { bucketMiddleUs, latencyBucket } from '@imscope/schemas/latency-histogram.js';
import { ispOf, loadTestNetworks, networkRows, placeOf } from './network-rows.js';
import { CELL_MS, isLarge, PublishedReference } from './published-reference.js';
import { openQuery, openStoreAndQuery, READ_FEW } from './query-under-test.js';
import { addressOf, assertError, readAnswer } from './read-answer.js';
import { groupRows, sumWeights } from './recompute.js';
import { type StoredRow, storedRow } from './stored-row.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MINIMUM = { requests: 20, addresses: 5 };
/** Two whole hours in which the settled cells end long ago. */
const FROM_MS = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 6 * HOUR_MS;
const TO_MS = FROM_MS + 2 * HOUR_MS;
const YESTERDAY_MS = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS;
const APP = 101;
const DAILY = 102;
const ONE_PERSON = 103;

const rows = networkRows({ seed: 7, count: 9_000, sdkAppId: APP, fromMs: FROM_MS, toMs: TO_MS });
const rowsBefore = networkRows({
  seed: 8,
  count: 4_000,
  sdkAppId: APP,
  fromMs: FROM_MS - DAY_MS,
  toMs: TO_MS - DAY_MS,
});
/** Two prefixes of a system, a request of each an hour, so that only a day is enough. */
const daily = ['40.0.0', '40.0.1'].flatMap((start) =>
  Array.from({ length: 24 }, (_, hour) =>
    storedRow({
      time: YESTERDAY_MS + hour * HOUR_MS + 60_000,
      sdk_app_id: DAILY,
      exit_ip: `::ffff:${start}.${1 + (hour % (start === '40.0.1' ? 4 : 8))}`,
    }),
  ),
);
/** One prefix with enough of everything, alone in its system. */
const onePerson = Array.from({ length: 100 }, (_, index) =>
  storedRow({ time: FROM_MS + index, sdk_app_id: ONE_PERSON, exit_ip: `::ffff:20.0.9.${index % 10}` }),
);

const { query, store } = await openStoreAndQuery(async (under) => {
  await loadTestNetworks(under);
  await under.insert([...rows, ...rowsBefore, ...daily, ...onePerson]);
});
const reference = new PublishedReference(rows, placeOf, MINIMUM);

const textOf = (timeMs: number): string => new Date(timeMs).toISOString();
const ask = (parameters: Record<string, string | string[]> = {}, application = APP) =>
  readAnswer(query.app, Network, `applications/${application}/network`, {
    from: textOf(FROM_MS),
    to: textOf(TO_MS),
    ...parameters,
  });
const refused = (parameters: Record<string, string | string[]>) =>
  query.app.inject({
    url: addressOf(`applications/${APP}/network`, parameters),
    headers: { authorization: `Bearer ${READ_FEW}` },
  });

function sum(of: readonly StoredRow[], value: (row: StoredRow) => number): number {
  return of.reduce((total, row) => total + value(row) * row.weight, 0);
}

function assertRow(
  row: Omit<NetworkRow, 'usual' | 'lost_requests' | 'fails_more' | 'extra_delay_ms'>,
  of: readonly StoredRow[],
  all: readonly StoredRow[],
): void {
  const weightOf = (outcome: string): number => sumWeights(of.filter((one) => one.outcome === outcome));
  const requests = sumWeights(of);
  const timed = of.filter((one) => one.rtt_us !== null);
  assert.equal(row.requests, requests, row.name);
  assert.equal(row.outcomes.service_error, weightOf('service_error'), row.name);
  assert.equal(row.outcomes.success, weightOf('success'), row.name);
  assert.equal(row.success_rate, weightOf('success') / requests, row.name);
  assert.equal(row.share, requests / sumWeights(all), row.name);
  assert.equal(row.latency_ms.avg, sum(of, (one) => one.latency_us) / requests / 1_000, row.name);
  assert.equal(
    row.latency_ms.p95,
    p95Ms(of, (one) => one.latency_us),
    row.name,
  );
  assert.equal(row.rtt_ms.avg, sum(timed, (one) => one.rtt_us ?? 0) / sumWeights(timed) / 1_000, row.name);
  assert.equal(
    row.rtt_ms.p95,
    p95Ms(timed, (one) => one.rtt_us ?? 0),
    row.name,
  );
  assert.equal(row.rtt_ms.known_share, sumWeights(timed) / requests, row.name);
}

/** Nearest rank, as the middle of its bucket. */
function p95Ms(of: readonly StoredRow[], value: (row: StoredRow) => number): number {
  const sorted = [...of].toSorted((a, b) => value(a) - value(b));
  const rank = Math.ceil(0.95 * sumWeights(of) - 1e-9);
  let seen = 0;
  const found = sorted.find((row) => (seen += row.weight) >= rank);
  return bucketMiddleUs(latencyBucket(found === undefined ? Number.NaN : value(found))) / 1_000;
}

test('providers, systems and regions equal an independent recomputation', async () => {
  const kinds = [
    ['isp', ispOf],
    ['asn', (row: StoredRow) => (placeOf(row).asn === 0 ? '' : `AS${placeOf(row).asn}`)],
    ['region', (row: StoredRow) => row.region],
  ] as const;
  for (const [by, nameOf] of kinds) {
    const { data, window } = await ask({ by });
    const groups = groupRows(rows, nameOf);
    const hidden = [...groups].filter(([name]) => !data.rows.some((row) => row.name === name));
    for (const row of data.rows) assertRow(row, groups.get(row.name) ?? [], rows);
    assert.equal(data.overall.requests, sumWeights(rows));
    assert.equal(data.not_shown.requests, sumWeights(hidden.flatMap(([, of]) => of)), by);
    assert.equal(data.rows.length + hidden.length, groups.size);
    assert.deepEqual([window.from, window.to], [textOf(FROM_MS), textOf(TO_MS)]);
  }
});

test('a group below the minimum is not shown, and the smallest others join it until they are enough', async () => {
  const systems = [...groupRows(rows, (row) => placeOf(row).asn)];
  assert.deepEqual(
    systems.flatMap(([asn, of]) => (isLarge(of, MINIMUM) ? [] : [asn])),
    [201],
    'this test needs one system that is too small',
  );
  const { data } = await ask({ by: 'asn' });
  const smallest = systems
    .filter(([asn]) => asn !== 201)
    .toSorted(([, a], [, b]) => a.length - b.length)
    .map(([asn]) => (asn === 0 ? '' : `AS${asn}`))[0];
  assert.equal(data.rows.length, 2);
  assert.ok(!data.rows.some(({ name }) => name === smallest || name === 'AS201'));
});

test('prefixes equal the sums of their published blocks, and what is not shown is the rest', async () => {
  const { data } = await ask({ by: 'prefix' });
  const shown = reference.shown(FROM_MS, TO_MS, []);
  const groups = groupRows(shown, (row) => placeOf(row).prefix);
  assert.ok(groups.size >= 5 && shown.length < rows.length, 'some rows are shown and some are not');
  assert.deepEqual(data.rows.map(({ name }) => name).toSorted(), [...groups.keys()].toSorted());
  for (const row of data.rows) assertRow(row, groups.get(row.name) ?? [], rows);
  assert.equal(data.not_shown.requests, sumWeights(rows) - sumWeights(shown));
});

test('no difference of windows, interfaces and parents is smaller than the minimum', async () => {
  const spans = [0, 1, 11].map((cell) => [FROM_MS + cell * CELL_MS, FROM_MS + (cell + 1) * CELL_MS]);
  const windows = [
    ...spans,
    [FROM_MS, FROM_MS + 2 * CELL_MS],
    [FROM_MS, FROM_MS + HOUR_MS],
    [FROM_MS, FROM_MS + HOUR_MS + CELL_MS],
    [FROM_MS, TO_MS],
  ];
  const filters = [[], ['openim/sendmsg']];
  const answers = [];
  for (const [fromMs = 0, toMs = 0] of windows) {
    for (const interfaces of filters) {
      const span = { from: textOf(fromMs), to: textOf(toMs), interface: interfaces };
      const { data, window } = await ask({ by: 'prefix', ...span });
      assert.deepEqual([window.from, window.to], [span.from, span.to]);
      const shown = reference.shown(fromMs, toMs, interfaces);
      const groups = groupRows(shown, (row) => placeOf(row).prefix);
      assert.deepEqual(
        new Map(data.rows.map((row) => [row.name, row.requests])),
        new Map(
          [...groups]
            .map(([name, of]): [string, number] => [name, sumWeights(of)])
            .toSorted(
              (a, b) =>
                data.rows.findIndex((row) => row.name === a[0]) -
                data.rows.findIndex((row) => row.name === b[0]),
            ),
        ),
      );
      const all = rows.filter(
        (row) =>
          row.time >= fromMs &&
          row.time < toMs &&
          (interfaces.length === 0 || interfaces.includes(row.interface)),
      );
      answers.push({ fromMs, toMs, interfaces, shown: new Set(shown), groups, all });
    }
  }
  let differences = 0;
  const assertLargeOrNone = (of: readonly StoredRow[], what: string): void => {
    if (of.length === 0) return;
    differences++;
    assert.ok(isLarge(of, MINIMUM), `${what}: ${of.length} requests`);
  };
  for (const answer of answers) {
    // Parents: all, and each system, of which the totals of this window and these interfaces are known.
    for (const [asn, system] of groupRows(answer.all, (row) => placeOf(row).asn)) {
      const rest = system.filter((row) => !answer.shown.has(row));
      if (rest.length < system.length) {
        assert.ok(rest.length > 0, `AS${asn} is shown as a whole`);
        assertLargeOrNone(rest, `the rest of AS${asn}`);
      }
    }
    for (const [name, of] of answer.groups) {
      assertLargeOrNone(of, name);
      // Rows of the same prefix in any other answer that are part of it.
      for (const other of answers) {
        const part = other.groups.get(name) ?? [];
        if (other === answer || !part.every((row) => answer.shown.has(row))) continue;
        const taken = new Set(part);
        assertLargeOrNone(
          of.filter((row) => !taken.has(row)),
          `${name}, ${textOf(answer.fromMs)} less ${textOf(other.fromMs)} to ${textOf(other.toMs)}`,
        );
      }
    }
  }
  assert.ok(differences > 100, `${differences} differences were looked at`);
});

test('a prefix that is enough in a day alone is shown for the whole day, and not for less', async () => {
  const day = { from: textOf(YESTERDAY_MS), to: textOf(YESTERDAY_MS + DAY_MS), by: 'prefix' };
  const { data } = await ask(day, DAILY);
  assert.deepEqual(
    data.rows.map(({ name, requests }) => [name, requests]),
    [],
    'of two the larger would leave the other, which has four addresses',
  );
  const more = Array.from({ length: 5 }, (_, index) =>
    storedRow({
      time: YESTERDAY_MS + 7_200_000 * index,
      sdk_app_id: DAILY,
      exit_ip: `::ffff:40.0.2.${index + 1}`,
    }),
  );
  await store.insert(more);
  const { data: later } = await ask(day, DAILY);
  assert.deepEqual(
    later.rows.map(({ name, requests }) => [name, requests]),
    [['40.0.0.0/24', 24]],
  );
  const { data: less } = await ask({ ...day, from: textOf(YESTERDAY_MS + HOUR_MS) }, DAILY);
  assert.deepEqual(less.rows, []);
});

test('a prefix that is its whole system is not shown, because figures of the system are not limited', async () => {
  const { data } = await ask({ by: 'prefix' }, ONE_PERSON);
  assert.deepEqual(data.rows, []);
  assert.equal(data.not_shown.requests, 100);
});

test('rows are compared with the same window of the day before, worst first', async () => {
  const { data } = await ask({ by: 'isp' });
  const before = groupRows(rowsBefore, ispOf);
  for (const row of data.rows) {
    const usual = before.get(row.name) ?? [];
    const errors = sumWeights(usual.filter((one) => one.outcome === 'service_error'));
    assert.equal(row.usual.source, 'day_before');
    assert.equal(row.usual.requests, sumWeights(usual));
    const lost = row.outcomes.service_error - (row.requests * errors) / sumWeights(usual);
    assert.ok(Math.abs(row.lost_requests - lost) < 1e-6, row.name);
  }
  const { data: prefixes } = await ask({ by: 'prefix' }, ONE_PERSON);
  assert.deepEqual(prefixes.rows, []);
});

test('prefixes take no filter but interfaces, and the answer says what takes the others', async () => {
  const message = assertError(
    await refused({ by: 'prefix', node: 'gw-1' }),
    400,
    'prefix_filter_not_allowed',
  );
  assert.match(message, /^node was given: prefixes are filtered by interface alone.* by=isp/);
  const { data } = await ask({ by: 'isp', region: 'north' });
  assert.equal(data.overall.requests, sumWeights(rows.filter((row) => row.region === 'north')));
});

test('windows of prefixes are rounded to five minutes, from an hour on they begin with an hour, and the answer says so', async () => {
  const short = await ask({
    by: 'prefix',
    from: textOf(FROM_MS + 61_000),
    to: textOf(FROM_MS + 11 * 60_000),
  });
  assert.deepEqual([short.window.from, short.window.to], [textOf(FROM_MS), textOf(FROM_MS + 2 * CELL_MS)]);
  const long = await ask({ by: 'prefix', from: textOf(FROM_MS + 61_000), to: textOf(TO_MS - 1) });
  assert.deepEqual([long.window.from, long.window.to], [textOf(FROM_MS), textOf(TO_MS - CELL_MS)]);
  const none = await refused({ by: 'prefix', from: 'now-1m' });
  assert.match(assertError(none, 400, 'invalid_parameter'), /holds no five minutes that have ended/);
});

test('an id names one prefix in a URL, with its trend, interfaces and codes out of published blocks', async () => {
  const { data: all } = await ask({ by: 'prefix' });
  const row = all.rows.find(({ name }) => name === '20.0.0.0/24');
  assert.ok(row !== undefined && row.id !== null && !row.id.includes('20.0'));
  const { data } = await ask({ network: row.id });
  assert.deepEqual(data.rows, [row]);
  const shown = reference.shown(FROM_MS, TO_MS, []).filter((one) => placeOf(one).prefix === row.name);
  assert.deepEqual(
    data.prefix?.steps.map(({ time, requests }) => [time, requests]),
    [...groupRows(shown, (one) => Math.floor(one.time / CELL_MS) * CELL_MS)]
      .filter(([startMs]) =>
        reference.shown(startMs, startMs + CELL_MS, []).some((one) => placeOf(one).prefix === row.name),
      )
      .toSorted(([a], [b]) => a - b)
      .map(([startMs, of]) => [textOf(startMs), sumWeights(of)]),
  );
  const names = [...new Set(rows.map((one) => one.interface))];
  const byInterface = groupRows(
    reference.shown(FROM_MS, TO_MS, names).filter((one) => placeOf(one).prefix === row.name),
    (one) => one.interface,
  );
  assert.ok(byInterface.size > 0);
  assert.deepEqual(
    new Map(data.prefix?.interfaces.map((one) => [one.interface, one.requests])),
    new Map(
      [...byInterface]
        .map(([name, of]): [string, number] => [name, sumWeights(of)])
        .toSorted((a, b) => b[1] - a[1]),
    ),
  );
  assert.deepEqual(
    data.prefix?.codes.map(({ code, count }) => [code, count]),
    [...groupRows(shown, (one) => one.code)]
      .map(([code, of]): [number | null, number] => [code, sumWeights(of)])
      .toSorted((a, b) => b[1] - a[1]),
  );
});

test('an id filters single requests, in a URL', async () => {
  const { data } = await ask({ by: 'prefix' });
  const row = data.rows.find(({ name }) => name === '20.0.0.0/24');
  const { data: page } = await readAnswer(query.app, RequestPage, `applications/${APP}/requests`, {
    from: textOf(FROM_MS),
    to: textOf(FROM_MS + CELL_MS),
    network: row?.id ?? '',
    limit: '1000',
  });
  const wanted = rows.filter((one) => placeOf(one).prefix === row?.name && one.time < FROM_MS + CELL_MS);
  assert.equal(page.requests.length, wanted.length);
  assert.ok(page.requests.every((one) => one.exit_ip === row?.name));
});

test('an id that was altered, or is of another key, is refused without repeating it', async () => {
  const { data } = await ask({ by: 'prefix' });
  const id = data.rows[0]?.id ?? '';
  const altered = `${id.slice(0, -2)}${id.endsWith('AA') ? 'BB' : 'AA'}`;
  const message = assertError(await refused({ network: altered }), 400, 'invalid_network_id');
  assert.ok(!message.includes(altered));
  const key = 'a session key of thirty-two characters';
  const [one, other] = [
    await openQuery({ ...store.environment, SESSION_KEY: key }),
    await openQuery({ ...store.environment, SESSION_KEY: key }),
  ];
  const path = `applications/${APP}/network`;
  const span = { from: textOf(FROM_MS), to: textOf(TO_MS), by: 'prefix' };
  const [first, second] = [
    await readAnswer(one.app, Network, path, span),
    await readAnswer(other.app, Network, path, span),
  ];
  await one.close();
  await other.close();
  assert.deepEqual(first.data.rows[0]?.id, second.data.rows[0]?.id);
  assert.notEqual(first.data.rows[0]?.id, id);
});

test('the fleet is all applications that the caller may see, and each application has blocks of its own', async () => {
  const span = { from: textOf(FROM_MS), to: textOf(TO_MS) };
  const fleet = (by: string) => readAnswer(query.app, Network, 'fleet/network', { ...span, by }, READ_FEW);
  const { data: isp } = await fleet('isp');
  assert.equal(isp.overall.requests, sumWeights(rows));
  const { data: fleetPrefixes } = await fleet('prefix');
  const { data: prefixes } = await ask({ by: 'prefix' });
  assert.deepEqual(
    fleetPrefixes.rows.map(({ name, requests }) => [name, requests]),
    prefixes.rows.map(({ name, requests }) => [name, requests]),
  );
});

test('requests are filtered by provider, also by that of addresses without one', async () => {
  for (const isp of ['One', 'Two', '']) {
    const { data } = await readAnswer(query.app, Overview, `applications/${APP}/overview`, {
      from: textOf(FROM_MS),
      to: textOf(TO_MS),
      isp,
    });
    assert.equal(data.requests, sumWeights(rows.filter((row) => ispOf(row) === isp)), isp);
  }
});
