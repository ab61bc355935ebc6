import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { OUTCOMES } from '@imscope/schemas/outcome.js';
import { ExceptionDetail, Exceptions } from '@imscope/schemas/query-api/exceptions.js';
import { causeShape, shapeSql } from '../../src/grouping/cause-shape.js';
import { groupId } from '../../src/grouping/group-of.js';
import { normaliseCause } from '../../src/grouping/normalise-shape.js';
import { openStoreAndQuery, READ_ALL, READ_FEW } from '../query-under-test.js';
import { assertError, readAnswer } from '../read-answer.js';
import { groupRows, sumWeights } from '../recompute.js';
import { seededRandom, seededRows, type StoredRow, storedRow } from '../stored-row.js';
import { someCauses } from './some-causes.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const TO_MS = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - HOUR_MS;
const FROM_MS = TO_MS - 2 * HOUR_MS;
const WINDOW = { from: new Date(FROM_MS).toISOString(), to: new Date(TO_MS).toISOString() };
const STEP_MS = 10 * MINUTE_MS;
const BUSY = 101;
const ALSO = 102;
const HIDDEN = 201;
const MANY = 103;
const SHAPES = 104;

const random = seededRandom(7);
const withIds = (row: StoredRow): StoredRow =>
  row.cause === ''
    ? row
    : { ...row, cause: `${row.cause}, trace ${Math.floor(random() * 1e9).toString(16)}x${row.block_row}` };
const seeded = (sdkAppId: number, count: number, fromMs: number): StoredRow[] =>
  seededRows({ seed: sdkAppId, count, sdkAppId, fromMs, toMs: TO_MS }).map(withIds);
const failure = (given: Partial<StoredRow> & Pick<StoredRow, 'time' | 'sdk_app_id'>): StoredRow =>
  storedRow({ code: 91_000, outcome: 'service_error', exception: 'Timeline', ...given });

/** Letters only, so that each is a shape of its own. */
const word = (index: number): string =>
  String(index)
    .padStart(5, '0')
    .replaceAll(/\d/g, (digit) => 'ghjkmnpqrs'.charAt(Number(digit)));

const rows: StoredRow[] = [
  ...seeded(BUSY, 4_000, FROM_MS - 2 * HOUR_MS),
  ...seeded(ALSO, 500, FROM_MS),
  ...seeded(HIDDEN, 500, FROM_MS),
  // Seen long ago, then in the window: back. Seen in each hour before: steady. Seen now: new.
  ...[100, 1.5].map((hours) =>
    failure({ time: TO_MS - hours * HOUR_MS, sdk_app_id: BUSY, cause: 'came back after 7 ms' }),
  ),
  ...[6, 5, 4, 3, 1.5].map((hours) =>
    failure({ time: TO_MS - hours * HOUR_MS, sdk_app_id: BUSY, cause: 'steady' }),
  ),
  failure({ time: TO_MS - HOUR_MS, sdk_app_id: BUSY, cause: 'never before', request_id: 'first-one' }),
  // Before the window only.
  failure({ time: FROM_MS - 30 * HOUR_MS, sdk_app_id: BUSY, cause: 'long gone' }),
  ...Array.from({ length: 230 }, (_, index) =>
    storedRow({
      time: FROM_MS + index,
      sdk_app_id: MANY,
      code: 100_000 + index,
      outcome: index < 5 ? 'service_error' : 'caller_error',
      exception: `Exception${index}`,
      weight: index + 1,
    }),
  ),
  ...Array.from({ length: 5_300 }, (_, index) =>
    failure({
      time: FROM_MS + index,
      sdk_app_id: SHAPES,
      cause: `cause ${word(index)}`,
      weight: 1 + (index % 3),
    }),
  ),
];

const directory = mkdtempSync(join(tmpdir(), 'imscope-exceptions-'));
after(() => {
  rmSync(directory, { recursive: true, force: true });
});
const { store, query } = await openStoreAndQuery(
  async (opened) => opened.insert(rows.map((row, index) => ({ ...row, block_row: index }))),
  { DATABASE_URL: `sqlite:${join(directory, 'state.db')}` },
);

const isFailure = (row: StoredRow): boolean => row.outcome === 'service_error' || row.exception !== '';
const inWindow = (row: StoredRow): boolean => row.time >= FROM_MS && row.time < TO_MS;
const idOf = ({ exception, code, cause }: StoredRow): string =>
  groupId(exception, code, normaliseCause(cause));
const count = (values: readonly unknown[]): number => new Set(values.filter((value) => value !== '')).size;

function assertGroups(data: Exceptions, own: readonly StoredRow[]): void {
  const failures = own.filter((row) => isFailure(row) && inWindow(row));
  const expected = groupRows(failures, idOf);
  const ever = groupRows(own.filter(isFailure), idOf);
  const total = sumWeights(failures);
  assert.deepEqual(data.failures, { groups: expected.size, count: total });
  assert.equal(data.groups.length, expected.size);
  for (const group of data.groups) {
    const mine = expected.get(group.id) ?? [];
    const times = (ever.get(group.id) ?? []).map(({ time }) => time);
    assert.equal(group.count, sumWeights(mine));
    assert.equal(group.share, sumWeights(mine) / total);
    assert.equal(group.cause, normaliseCause(mine[0]?.cause ?? ''));
    assert.equal(Date.parse(group.first_seen), Math.min(...times));
    assert.equal(Date.parse(group.last_seen), Math.max(...times));
    assert.equal(group.nodes, count(mine.map(({ node }) => node)));
    assert.equal(group.regions, count(mine.map(({ region }) => region)));
    assert.equal(group.applications, count(mine.map(({ sdk_app_id: id }) => id)));
    assert.equal(group.interfaces_total, count(mine.map((row) => row.interface)));
    for (const outcome of OUTCOMES) {
      assert.equal(group.outcomes[outcome], sumWeights(mine.filter((row) => row.outcome === outcome)));
    }
    for (const { value, count: requests } of group.interfaces) {
      assert.equal(requests, sumWeights(mine.filter((row) => row.interface === value)));
    }
    const trend = Array.from({ length: (TO_MS - FROM_MS) / STEP_MS }, (_, step) =>
      sumWeights(mine.filter(({ time }) => Math.floor((time - FROM_MS) / STEP_MS) === step)),
    );
    assert.deepEqual(group.trend, trend);
  }
}

test('groups of an application equal a recomputation from its rows, by exception, code and normalised cause', async () => {
  const { data } = await readAnswer(query.app, Exceptions, `applications/${BUSY}/exceptions`, {
    ...WINDOW,
    step: '10m',
  });
  assertGroups(
    data,
    rows.filter((row) => row.sdk_app_id === BUSY),
  );
  assert.ok(data.groups.length < 30, 'ids of traces make no groups of their own');
});

test('groups of the fleet are those of all applications that the caller may read', async () => {
  const path = 'fleet/exceptions';
  const { data } = await readAnswer(query.app, Exceptions, path, { ...WINDOW, step: '10m' }, READ_FEW);
  assertGroups(
    data,
    rows.filter((row) => [BUSY, ALSO].includes(row.sdk_app_id)),
  );
  assert.ok(data.groups.some(({ applications }) => applications === 2));
});

test('filters narrow the counts, while first seen stays that of the whole application', async () => {
  const { data } = await readAnswer(query.app, Exceptions, `applications/${BUSY}/exceptions`, {
    ...WINDOW,
    node: 'gw-2',
  });
  const failures = rows.filter((row) => row.sdk_app_id === BUSY && isFailure(row));
  const narrowed = failures.filter((row) => row.node === 'gw-2' && inWindow(row));
  assert.equal(data.failures.count, sumWeights(narrowed));
  for (const group of data.groups) {
    const times = failures.filter((row) => idOf(row) === group.id).map(({ time }) => time);
    assert.equal(Date.parse(group.first_seen), Math.min(...times));
  }
});

test('samples are requests of the group, with causes that differ, the most frequent first', async () => {
  const { data } = await readAnswer(query.app, Exceptions, `applications/${BUSY}/exceptions`, WINDOW);
  const sampled = data.groups.filter(({ samples }) => samples.length > 1);
  assert.ok(sampled.length > 0);
  for (const { id, samples } of data.groups) {
    assert.equal(new Set(samples.map(({ cause }) => cause)).size, samples.length);
    for (const { request_id: requestId, cause, time } of samples) {
      const found = rows.filter(
        (row) => row.cause === cause && row.time === Date.parse(time) && idOf(row) === id,
      );
      assert.ok(found.some((row) => row.request_id === requestId));
    }
  }
});

test('a group is new where it was first seen since the given time, and regressed where it came back after a silence', async () => {
  const path = `applications/${BUSY}/exceptions`;
  const read = async (given: Record<string, string>) => {
    const { data } = await readAnswer(query.app, Exceptions, path, {
      ...WINDOW,
      exception: 'Timeline',
      ...given,
    });
    return Object.fromEntries(data.groups.map((group) => [group.cause, group]));
  };
  const byWindow = await read({});
  assert.deepEqual(
    Object.values(byWindow)
      .filter(({ is_new: isNew }) => isNew)
      .map(({ cause }) => cause),
    ['never before'],
  );
  assert.equal(byWindow['came back after <*>']?.is_regressed, true);
  assert.equal(byWindow['came back after <*>']?.silent_hours, 97);
  assert.equal(byWindow['steady']?.is_regressed, false);
  const since = await read({ new_since: new Date(TO_MS - 7 * HOUR_MS).toISOString(), silence: '98h' });
  assert.equal(since['steady']?.is_new, true);
  assert.equal(since['came back after <*>']?.is_regressed, false);
});

test('of more than 200 groups the service errors are listed, and the others counted', async () => {
  const { data } = await readAnswer(query.app, Exceptions, `applications/${MANY}/exceptions`, WINDOW);
  assert.equal(data.groups.length, 200);
  assert.equal(data.groups_left_out, 30);
  const listed = data.groups.reduce((sum, group) => sum + group.count, 0);
  assert.equal(listed + data.count_left_out, data.failures.count);
  assert.deepEqual(
    data.groups.slice(0, 5).map(({ outcome }) => outcome),
    Array(5).fill('service_error'),
  );
});

test('what is beyond the bound of shapes is counted as ungrouped', async () => {
  const { data } = await readAnswer(query.app, Exceptions, `applications/${SHAPES}/exceptions`, WINDOW);
  const own = rows.filter((row) => row.sdk_app_id === SHAPES);
  assert.equal(data.ungrouped.shapes, 300);
  assert.equal(data.failures.count, sumWeights(own));
  const listed = data.groups.reduce((sum, group) => sum + group.count, 0);
  assert.equal(listed + data.count_left_out + data.ungrouped.count, sumWeights(own));
  assert.equal(data.history.is_complete, false);
});

test('one group has its counts by interface, node, region, platform, version and application', async () => {
  const list = await readAnswer(query.app, Exceptions, 'fleet/exceptions', WINDOW);
  const [first] = list.data.groups;
  assert.ok(first !== undefined);
  const { data } = await readAnswer(query.app, ExceptionDetail, `fleet/exceptions/${first.id}`, WINDOW);
  const own = rows.filter((row) => isFailure(row) && inWindow(row) && idOf(row) === first.id);
  assert.equal(data.count, sumWeights(own));
  assert.equal(data.where.length, 6);
  for (const { by, top, total } of data.where) {
    const field = by === 'application' ? 'sdk_app_id' : by;
    const counts = groupRows(own, (row) => String(new Map(Object.entries(row)).get(field)));
    assert.equal(total, counts.size, by);
    for (const { value, count: requests } of top) assert.equal(requests, sumWeights(counts.get(value) ?? []));
  }
});

test('a group that was not seen in the window has zeros and its times; an unknown one is not found', async () => {
  const gone = groupId('Timeline', 91_000, 'long gone');
  const path = `applications/${BUSY}/exceptions`;
  const { data } = await readAnswer(query.app, ExceptionDetail, `${path}/${gone}`, WINDOW);
  assert.deepEqual([data.count, data.samples, data.cause], [0, [], 'long gone']);
  assert.equal(Date.parse(data.first_seen), FROM_MS - 30 * HOUR_MS);
  const headers = { authorization: `Bearer ${READ_ALL}` };
  const unknown = await query.app.inject({ url: `/v1/${path}/0123456789abcdef`, headers });
  assertError(unknown, 404, 'not_found');
  const malformed = await query.app.inject({ url: `/v1/${path}/0123`, headers });
  assertError(malformed, 400, 'invalid_parameter');
});

test('a muted group says so, and can be hidden or shown alone', async () => {
  const path = `applications/${BUSY}/exceptions`;
  const id = groupId('Timeline', 91_000, 'never before');
  const muted = await query.app.inject({
    method: 'POST',
    url: `/v1/${path}/${id}/mute`,
    headers: { authorization: `Bearer ${READ_ALL}` },
    payload: { for: '8h', reason: 'known, ticket 17' },
  });
  assert.equal(muted.statusCode, 200, muted.body);
  const shown = await readAnswer(query.app, Exceptions, path, WINDOW);
  assert.equal(shown.data.mutes_known, true);
  assert.deepEqual(
    shown.data.groups.filter((group) => group.muted !== null).map((group) => [group.id, group.muted?.reason]),
    [[id, 'known, ticket 17']],
  );
  const hidden = await readAnswer(query.app, Exceptions, path, { ...WINDOW, muted: 'hide' });
  assert.ok(!hidden.data.groups.some((group) => group.id === id));
  assert.deepEqual(hidden.data.failures, shown.data.failures);
  assert.equal(hidden.data.groups_left_out, 1);
  const only = await readAnswer(query.app, Exceptions, path, { ...WINDOW, muted: 'only' });
  assert.deepEqual(
    only.data.groups.map((group) => group.id),
    [id],
  );
});

test('the store makes of every cause the shape that JavaScript makes', async () => {
  const causes = someCauses(2_000);
  const result = await store.client.query({
    query: `SELECT cause, ${shapeSql('cause')} AS shape FROM (SELECT arrayJoin({causes:Array(String)}) AS cause)`,
    query_params: { causes },
    format: 'JSONEachRow',
    use_multipart_params_auto: true,
  });
  const made = await result.json<{ cause: string; shape: string }>();
  assert.equal(made.length, causes.length);
  for (const { cause, shape } of made) assert.equal(shape, causeShape(cause), cause);
});
