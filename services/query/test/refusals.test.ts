import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FleetRefusals } from '@imscope/schemas/query-api/fleet-refusals.js';
import { Refusals } from '@imscope/schemas/query-api/refusals.js';
import { LINE_REJECT_REASONS, RECORD_REJECT_REASONS } from '@imscope/schemas/reject-reasons.js';
import { openStoreAndQuery, READ_ALL, READ_FEW } from './query-under-test.js';
import { addressOf, assertError, readAnswer } from './read-answer.js';

const MINUTE_MS = 60_000;
/** The end of the window that is asked for: two hours ago, half an hour after its beginning. */
const TO_MS = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 120 * MINUTE_MS;
const FROM_MS = TO_MS - 30 * MINUTE_MS;

const { store, query } = await openStoreAndQuery();

type Counts = Readonly<Record<number, Readonly<Record<string, number>>>>;

/** One chunk of an account. `minute` is counted from the beginning of the window. */
function account(
  boot: string,
  minute: number,
  counts: Counts,
  { startedMinute = -300, chunk = 0, chunks = 1 } = {},
): object {
  const sequence = minute - startedMinute;
  return {
    time: FROM_MS + minute * MINUTE_MS,
    collector: `collector of ${boot}`,
    boot,
    started: FROM_MS + startedMinute * MINUTE_MS,
    version: '1',
    sequence,
    chunk,
    chunks,
    final: false,
    partitions: [],
    applications: Object.entries(counts).map(([id, rejected]) => ({
      sdk_app_id: Number(id),
      accepted: 1_000,
      sampled_out: 0,
      rejected,
    })),
  };
}

/** Removes the accounts of the test before. */
async function storeAccounts(rows: readonly object[]): Promise<void> {
  await store.client.command({ query: 'TRUNCATE TABLE edge_account' });
  await store.client.insert({ table: 'edge_account', values: [...rows], format: 'JSONEachRow' });
}

const spanOf = ([fromMs, toMs]: readonly [number, number]) => ({
  from: new Date(fromMs).toISOString(),
  to: new Date(toMs).toISOString(),
});
const SPAN = spanOf([FROM_MS, TO_MS]);

/** Records by application and reason; 0 for those of none. */
async function fleet(token = READ_ALL, span = SPAN): Promise<Counts> {
  const { data } = await readAnswer(query.app, FleetRefusals, 'refusals', span, token);
  assert.equal(
    data.records,
    data.applications.reduce((sum, { records }) => sum + records, 0),
  );
  return Object.fromEntries(
    data.applications.map(({ sdk_app_id: id, reasons }) => [
      id ?? 0,
      Object.fromEntries(reasons.map(({ reason, records }) => [reason, records])),
    ]),
  );
}

test('records refused in a window are the difference of two accounts, by application and reason', async () => {
  await storeAccounts([
    account('a', -1, { 0: { malformed_json: 7 }, 101: { wrong_type: 3, too_long: 9 } }),
    account('a', 10, {
      0: { malformed_json: 9 },
      101: { wrong_type: 3, too_long: 10 },
      103: { invalid_ip: 1 },
    }),
    account('a', 30, {
      0: { malformed_json: 12 },
      101: { wrong_type: 4, too_long: 19 },
      103: { invalid_ip: 8 },
    }),
    account('a', 31, { 0: { malformed_json: 99 }, 101: { wrong_type: 99, too_long: 99 } }),
  ]);
  assert.deepEqual(await fleet(), {
    0: { malformed_json: 5 },
    101: { too_long: 10, wrong_type: 1 },
    103: { invalid_ip: 8 },
  });
  const { data, window } = await readAnswer(query.app, Refusals, 'applications/101/refusals', SPAN);
  assert.equal(window.source, 'accounts');
  assert.deepEqual(
    [data.records, data.reasons],
    [
      11,
      [
        { reason: 'too_long', records: 10, ...RECORD_REJECT_REASONS.too_long },
        { reason: 'wrong_type', records: 1, ...RECORD_REJECT_REASONS.wrong_type },
      ],
    ],
  );
});

test('the figures of neighbouring windows add up', async () => {
  await storeAccounts(
    Array.from({ length: 60 }, (_, index) =>
      account('a', index - 20, { 101: { wrong_type: (index + 1) ** 2 } }),
    ),
  );
  const middleMs = FROM_MS + 7.5 * MINUTE_MS;
  const [both, first, second] = await Promise.all([
    fleet(READ_ALL, spanOf([FROM_MS, TO_MS])),
    fleet(READ_ALL, spanOf([FROM_MS, middleMs])),
    fleet(READ_ALL, spanOf([middleMs, TO_MS])),
  ]);
  const [all = 0, before = 0, after = 0] = [both, first, second].map((counts) => counts[101]?.['wrong_type']);
  assert.equal(all, 51 ** 2 - 21 ** 2);
  assert.equal(before + after, all);
});

test('restarts: an incarnation that began in the window counts from zero, a killed one up to its last account', async () => {
  await storeAccounts([
    account('killed', -2, { 101: { wrong_type: 100 } }),
    account('killed', 5, { 101: { wrong_type: 104 } }),
    account('next', 6, { 101: { wrong_type: 20 } }, { startedMinute: 6 }),
    account('next', 12, { 101: { wrong_type: 30, invalid_ip: 2 } }, { startedMinute: 6 }),
    account('before', -20, { 101: { wrong_type: 500 } }),
    account('after', 33, { 101: { wrong_type: 500 } }, { startedMinute: 32 }),
  ]);
  assert.deepEqual(await fleet(), { 101: { wrong_type: 34, invalid_ip: 2 } });
});

test('an incarnation older than its accounts counts from its first account', async () => {
  await storeAccounts([
    account('a', 3, { 101: { wrong_type: 5_000 } }),
    account('a', 29, { 101: { wrong_type: 5_001 } }),
  ]);
  assert.deepEqual(await fleet(), { 101: { wrong_type: 1 } });
});

test('an account that lacks a chunk is ignored, and one that was stored twice counts once', async () => {
  const twice = account('a', 20, { 102: { invalid_ip: 6 } }, { chunk: 1, chunks: 2 });
  await storeAccounts([
    account('a', -1, { 101: { wrong_type: 1 } }, { chunk: 0, chunks: 2 }),
    account('a', -1, { 102: { invalid_ip: 1 } }, { chunk: 1, chunks: 2 }),
    account('a', 20, { 101: { wrong_type: 3 } }, { chunk: 0, chunks: 2 }),
    twice,
    twice,
    account('a', 21, { 101: { wrong_type: 77 } }, { chunk: 0, chunks: 2 }),
  ]);
  assert.deepEqual(await fleet(), { 101: { wrong_type: 2 }, 102: { invalid_ip: 5 } });
});

test('an account that came late, or not at all, moves its records to the next one', async () => {
  await storeAccounts([
    account('a', -40, { 101: { wrong_type: 10 } }),
    account('a', 29, { 101: { wrong_type: 60 } }),
  ]);
  assert.deepEqual(await fleet(), { 101: { wrong_type: 50 } });
});

test('each caller sees what was refused of the applications it may read', async () => {
  await storeAccounts([
    account(
      'a',
      3,
      { 0: { malformed_json: 1 }, 102: { too_long: 2 }, 103: { too_long: 3 } },
      { startedMinute: 1 },
    ),
  ]);
  assert.deepEqual(await fleet(READ_FEW), { 102: { too_long: 2 } });
  assert.deepEqual(await fleet(), { 0: { malformed_json: 1 }, 102: { too_long: 2 }, 103: { too_long: 3 } });
  for (const [token, path, status, code] of [
    [READ_FEW, 'applications/103/refusals', 403, 'not_allowed'],
    ['unknown-unknown-unknown', 'refusals', 401, 'invalid_token'],
  ] as const) {
    const headers = { authorization: `Bearer ${token}` };
    assertError(await query.app.inject({ url: addressOf(path, SPAN), headers }), status, code);
  }
});

test('beyond 2,000 pairs of application and reason the smallest are counted and not listed', async () => {
  const counts = Object.fromEntries(
    Array.from({ length: 2_100 }, (_, index) => [1_000 + index, { too_long: 1 + index }]),
  );
  await storeAccounts([account('a', 3, counts, { startedMinute: 1 })]);
  const { data } = await readAnswer(query.app, FleetRefusals, 'refusals', SPAN);
  assert.deepEqual(
    [data.records, data.applications.length, data.left_out],
    [(2_100 * 2_101) / 2, 2_000, 100],
  );
  assert.deepEqual([data.applications[0]?.sdk_app_id, data.applications.at(-1)?.records], [3_099, 101]);
});

test('where nothing was refused, or no account is there, there is nothing to list', async () => {
  await storeAccounts([account('a', 3, { 101: {} }, { startedMinute: 1 })]);
  assert.deepEqual(await fleet(), {});
  await store.client.command({ query: 'TRUNCATE TABLE edge_account' });
  assert.deepEqual(await fleet(), {});
  const { data } = await readAnswer(query.app, Refusals, 'applications/101/refusals', SPAN);
  assert.deepEqual(data, { records: 0, reasons: [] });
});

test('a reason of a later collector is listed, and every reason has a meaning and an advice', async () => {
  await storeAccounts([account('a', 3, { 101: { new_reason: 4 } }, { startedMinute: 1 })]);
  assert.deepEqual(await fleet(), { 101: { new_reason: 4 } });
  for (const [reason, { meaning, advice }] of Object.entries({
    ...LINE_REJECT_REASONS,
    ...RECORD_REJECT_REASONS,
  })) {
    assert.match(meaning, /^[A-Za-z].{10,120}\.$/, reason);
    assert.match(advice, /^[A-Z].{10,160}\.$/, reason);
  }
});
