import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareWorstFirst, tierOf } from '@imscope/schemas/health.js';
import { boundedListAnswerOf } from '@imscope/schemas/query-api/envelope.js';
import { FleetPage } from '@imscope/schemas/query-api/applications.js';
import { Exceptions } from '@imscope/schemas/query-api/exceptions.js';
import { InterfaceRow } from '@imscope/schemas/query-api/interfaces.js';
import { OUTCOMES } from '@imscope/schemas/outcome.js';
import { Overview } from '@imscope/schemas/query-api/overview.js';
import { RequestPage } from '@imscope/schemas/query-api/requests.js';
import { TimePoint } from '@imscope/schemas/query-api/timeseries.js';
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { openQuery, openStoreAndQuery, READ_ALL } from './query-under-test.js';
import { addressOf, readAnswer } from './read-answer.js';
import { groupRows, sumWeights } from './recompute.js';
import { seededRandom, seededRows, type StoredRow, storedRow } from './stored-row.js';

const MINUTE_MS = 60_000;
const TO_MS = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 120 * MINUTE_MS;
const FROM_MS = TO_MS - 40 * MINUTE_MS;
const WINDOW = { from: new Date(FROM_MS).toISOString(), to: new Date(TO_MS).toISOString() };

/** Every shape of group: with and without exception, with and without code, of one name with several codes. */
const GROUPED = 101;
const groupedRows = [
  ...seededRows({ seed: 3, count: 3_000, sdkAppId: GROUPED, fromMs: FROM_MS, toMs: TO_MS }),
  ...[60_008, 91_000, null].map((code, index) =>
    storedRow({
      time: FROM_MS + index,
      sdk_app_id: GROUPED,
      exception: 'UpstreamTimeout',
      code,
      outcome: index === 0 ? 'caller_error' : 'service_error',
      weight: 3 + index,
      block_row: 5_000 + index,
    }),
  ),
];

/** More applications, interfaces, codes and exceptions than a list holds. */
const APPLICATIONS = 1_040;
const manyApplications = Array.from({ length: APPLICATIONS }, (_, index) =>
  applicationRows(1_000 + index),
).flat();
const WIDE = 102;
const INTERFACES = 1_005;
const wideRows = Array.from({ length: INTERFACES }, (_, index) =>
  storedRow({
    time: FROM_MS + index,
    sdk_app_id: WIDE,
    interface: `many/${String(index).padStart(4, '0')}`,
    weight: 100,
    block_row: index,
  }),
).concat(
  // The least used one is the only one that fails.
  storedRow({
    time: FROM_MS,
    sdk_app_id: WIDE,
    interface: 'rare/failing',
    outcome: 'service_error',
    code: 91_000,
    weight: 20,
    block_row: 4_000,
  }),
);
const CODES = 103;
const codeRows = Array.from({ length: 230 }, (_, index) =>
  storedRow({
    time: FROM_MS + index,
    sdk_app_id: CODES,
    code: 100_000 + index,
    outcome: index < 5 ? 'service_error' : 'caller_error',
    exception: `Exception${index}`,
    weight: index + 1,
    block_row: index,
  }),
);

function applicationRows(id: number): StoredRow[] {
  const random = seededRandom(id);
  const errors = random() < 0.3 ? Math.floor(random() * 60) : 0;
  const success = Math.floor(random() * 20_000);
  const of = (outcome: StoredRow['outcome'], weight: number, index: number) =>
    storedRow({ time: FROM_MS + index, sdk_app_id: id, outcome, weight, block_row: index });
  const rows = [of('success', success, 1), of('service_error', errors, 2), of('unknown', 1, 3)];
  return rows.filter(({ weight }) => weight > 0);
}

const { store, query } = await openStoreAndQuery(async (store) => {
  await store.insert([...groupedRows, ...manyApplications, ...wideRows, ...codeRows]);
});

async function readList<T extends TSchema>(
  row: T,
  path: string,
): Promise<{ data: Static<T>[]; leftOut: number }> {
  const response = await query.app.inject({
    url: addressOf(path, WINDOW),
    headers: { authorization: `Bearer ${READ_ALL}` },
  });
  assert.equal(response.statusCode, 200, response.body);
  const answer: unknown = response.json();
  const schema = boundedListAnswerOf(Type.Array(row));
  assert.ok(Value.Check(schema, answer));
  assert.ok(answer.left_out !== undefined, 'a list says how many rows it leaves out');
  return { data: answer.data, leftOut: answer.left_out };
}

test('the first 1,000 applications are listed in the one order, and the others are on the next page', async () => {
  const { data } = await readAnswer(query.app, FleetPage, 'applications', { ...WINDOW, limit: '1000' });
  const all = [
    ...groupRows([...groupedRows, ...manyApplications, ...wideRows, ...codeRows], (row) => row.sdk_app_id),
  ]
    .map(([id, rows]) => {
      const sum = (outcome: StoredRow['outcome']) =>
        sumWeights(rows.filter((row) => row.outcome === outcome));
      const outcomes = { success: sum('success'), service_error: sum('service_error') };
      return { id, requests: sumWeights(rows), outcomes };
    })
    .toSorted((a, b) => compareWorstFirst(a, b) || a.id - b.id);
  assert.deepEqual(
    data.applications.map((row) => row.sdk_app_id),
    all.slice(0, 1_000).map(({ id }) => id),
  );
  assert.equal(data.found, all.length);
  const cursor = data.next_cursor ?? '';
  const next = await readAnswer(query.app, FleetPage, 'applications', { ...WINDOW, limit: '1000', cursor });
  assert.deepEqual(
    next.data.applications.map((row) => row.sdk_app_id),
    all.slice(1_000).map(({ id }) => id),
  );
  assert.equal(next.data.next_cursor, null);
});

test('of more than 1,000 interfaces a failing one is listed however little it is used', async () => {
  const { data, leftOut } = await readList(InterfaceRow, `applications/${WIDE}/interfaces`);
  assert.equal(data.length, 1_000);
  assert.equal(leftOut, INTERFACES + 1 - 1_000);
  assert.equal(data.at(-1)?.interface, 'rare/failing', 'most used first');
});

test('the overview says how many codes it leaves out', async () => {
  const { data } = await readAnswer(query.app, Overview, `applications/${CODES}/overview`, WINDOW);
  assert.deepEqual([data.codes.length, data.codes_left_out], [50, 180]);
});

test('a list that is complete leaves nothing out, and so does one of an application without requests', async () => {
  assert.equal((await readList(InterfaceRow, `applications/${GROUPED}/interfaces`)).leftOut, 0);
  assert.deepEqual(await readList(InterfaceRow, 'applications/999/interfaces'), { data: [], leftOut: 0 });
});

test('exception, code and outcomes of the groups that share them find exactly their requests', async () => {
  const path = `applications/${GROUPED}`;
  const { data } = await readAnswer(query.app, Exceptions, `${path}/exceptions`, WINDOW);
  assert.ok(data.groups.some(({ exception }) => exception === ''));
  assert.ok(data.groups.some(({ code }) => code === null));
  const kinds = Map.groupBy(data.groups, ({ exception, code }) => `${exception} ${code}`);
  assert.ok(kinds.size >= 6);
  for (const groups of kinds.values()) {
    const [first] = groups;
    assert.ok(first !== undefined);
    const count = groups.reduce((sum, group) => sum + group.count, 0);
    const filters = {
      ...WINDOW,
      exception: first.exception,
      code: first.code === null ? 'none' : String(first.code),
      outcome: OUTCOMES.filter((outcome) => groups.some(({ outcomes }) => outcomes[outcome] > 0)),
    };
    const page = await readAnswer(query.app, RequestPage, `${path}/requests`, { ...filters, limit: '1000' });
    assert.equal(page.data.next_cursor, null);
    assert.equal(
      page.data.requests.reduce((sum, { weight }) => sum + weight, 0),
      count,
    );
    const points = await readAnswer(query.app, Type.Array(TimePoint), `${path}/timeseries`, filters);
    assert.equal(
      points.data.reduce((sum, point) => sum + point.requests, 0),
      count,
    );
  }
});

test('a failing interface shows the code of its service errors though callers make more mistakes', async () => {
  const sdkAppId = 301;
  const of = (name: string, code: number, outcome: StoredRow['outcome'], weight: number, index: number) =>
    storedRow({
      time: FROM_MS,
      sdk_app_id: sdkAppId,
      interface: name,
      code,
      outcome,
      weight,
      block_row: index,
    });
  await store.insert([
    of('a/failing', 0, 'success', 100, 1),
    of('a/failing', 60_002, 'caller_error', 900, 2),
    of('a/failing', 91_000, 'service_error', 40, 3),
    of('a/healthy', 0, 'success', 100_000, 4),
    of('a/healthy', 60_002, 'caller_error', 900, 5),
    of('a/healthy', 91_000, 'service_error', 2, 6),
  ]);
  const { data } = await readList(InterfaceRow, `applications/${sdkAppId}/interfaces`);
  const shown = data.map(({ interface: name, outcomes, top_code: top }) => [
    name,
    tierOf(outcomes),
    top?.code,
    top?.count,
  ]);
  assert.deepEqual(shown, [
    ['a/healthy', 'healthy', 60_002, 900],
    ['a/failing', 'failing', 91_000, 40],
  ]);
});

test('the worst interface is the first in the order, not one with more errors of far more requests', async () => {
  const sdkAppId = 302;
  const of = (name: string, outcome: StoredRow['outcome'], weight: number, index: number) =>
    storedRow({ time: FROM_MS, sdk_app_id: sdkAppId, interface: name, outcome, weight, block_row: index });
  await store.insert([
    of('a/large', 'success', 1_000_000, 1),
    of('a/large', 'service_error', 200, 2),
    of('a/failing', 'service_error', 150, 3),
  ]);
  const second = await openQuery(store.environment);
  const { data } = await readAnswer(second.app, FleetPage, 'applications', { ...WINDOW, limit: '1000' });
  await second.close();
  const row = data.applications.find(({ sdk_app_id: id }) => id === sdkAppId);
  assert.deepEqual(row?.worst_interface, { interface: 'a/failing', service_errors: 150, success_rate: 0 });
});
