/*
 * Collectors as the service shows them, and what they do to answers: gaps that are planted in ledger and accounts make
 * bounds and verdicts, and a retirement that is booked in the accounts ends what is unknown.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CollectorRow } from '@imscope/schemas/query-api/collectors.js';
import { Overview } from '@imscope/schemas/query-api/overview.js';
import { InterfaceRow } from '@imscope/schemas/query-api/interfaces.js';
import { TimePoint } from '@imscope/schemas/query-api/timeseries.js';
import { Type } from 'typebox';
import { blocksOf, bootName, historyOf, MINUTE_MS } from './completeness/history.js';
import { insertAccounts, insertBlocks, insertRetirement } from './completeness/stored-history.js';
import { openStoreAndQuery, READ_FEW, type StoreUnderTest } from './query-under-test.js';
import { addressOf, assertError, readAnswer } from './read-answer.js';
import { type StoredRow, storedRow } from './stored-row.js';

const END_MS = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
const MINUTES = 8;
const BEGIN_MS = END_MS - MINUTES * MINUTE_MS;
const steady = (minutes: number, ...records: number[]): number[][] =>
  Array.from({ length: minutes }, () => records);
/** The second and the third are gone after two minutes; of the third the last batch is not stored. */
const [LIVE, GONE, KILLED, ENDED] = [0, 1, 2, 3].map(bootName);
const history = historyOf(
  [steady(MINUTES, 100, 100), steady(2, 40, 40), steady(2, 30, 30), steady(3, 10)],
  2,
  BEGIN_MS,
);
/** 1,000 requests of each application in the first four minutes. */
const HEALTHY = 101;
const FAILING = 102;
const DOUBTFUL = 103;

function rowsOf(sdkAppId: number, failures: number): StoredRow[] {
  return Array.from({ length: 1_000 }, (_, index) =>
    storedRow({
      time: BEGIN_MS + index * 200,
      sdk_app_id: sdkAppId,
      ...(index < failures ? { outcome: 'service_error', code: 91_000 } : {}),
      block_row: index,
    }),
  );
}

async function fill(store: StoreUnderTest): Promise<void> {
  const lost = history.batches.findLast(({ boot }) => boot === KILLED);
  const kept = history.batches.filter((batch) => batch !== lost);
  await insertBlocks(store.client, blocksOf(kept));
  const accounts = history.accounts.map((account) => ({
    ...account,
    final: account.boot === ENDED && account.sequence === 3,
  }));
  await insertAccounts(store.client, accounts, {
    facts: { host: 'edge-host', settings_hash: 'abcdef012345', spool_bytes: 7, spool_bytes_max: 70 },
    applications: ({ sent }) => {
      const total = sent.reduce((sum, { records }) => sum + records, 0);
      return [
        { sdk_app_id: HEALTHY, accepted: total / 2 + 5, sampled_out: 5 },
        { sdk_app_id: DOUBTFUL, accepted: total / 2, sampled_out: 0 },
      ];
    },
  });
  await store.insert([...rowsOf(HEALTHY, 0), ...rowsOf(FAILING, 500), ...rowsOf(DOUBTFUL, 30)]);
}

const { store, query } = await openStoreAndQuery(fill);
const { app } = query;
const WINDOW = { from: at(0), to: at(5) };

function at(minute: number): string {
  return new Date(BEGIN_MS + minute * MINUTE_MS).toISOString();
}

const collectors = async () => (await readAnswer(app, Type.Array(CollectorRow), 'collectors')).data;
const overview = (sdkAppId: number) => readAnswer(app, Overview, `applications/${sdkAppId}/overview`, WINDOW);
const faultOf = async (sdkAppId: number) => (await overview(sdkAppId)).completeness.verdict?.fault;

test('collectors are listed with their state, worst first, their settings, spool and records', async () => {
  const rows = await collectors();
  assert.deepEqual(
    rows.map(({ boot, state, records }) => [boot, state, records.sent, records.missing]),
    [
      [GONE, 'silent', 160, 0],
      [KILLED, 'silent', 120, 30],
      [LIVE, 'live', 200 * MINUTES, 0],
      [ENDED, 'ended', 30, 0],
    ],
  );
  const [first] = rows;
  assert.deepEqual(
    [first?.host, first?.settings_hash, first?.spool, first?.retirement],
    ['edge-host', 'abcdef012345', { bytes: 7, bytes_max: 70, waiting_batches: 0 }, null],
  );
  assert.deepEqual([first?.records.accepted, first?.records.sampled_out], [165, 5]);
  assert.equal(first?.last_heard, new Date(BEGIN_MS + 2 * MINUTE_MS + 20).toISOString());
});

test('only callers who may read all applications see collectors', async () => {
  const response = await app.inject({
    url: addressOf('collectors'),
    headers: { authorization: `Bearer ${READ_FEW}` },
  });
  assert.match(assertError(response, 403, 'not_allowed'), /may read 2 applications/);
});

test('while collectors are silent the rate has no bounds, and the verdict says what they may have accepted', async () => {
  const { completeness: healthy } = await overview(HEALTHY);
  assert.deepEqual([healthy.status, healthy.missing_max, healthy.success_rate], ['unknown', null, null]);
  assert.equal(healthy.verdict?.fault, 'telemetry_fault');
  assert.match(healthy.verdict.reason, /collector edge-\d and 1 more silent since/);
  const { completeness: failing } = await overview(FAILING);
  assert.equal(failing.verdict?.fault, 'service_fault');
  assert.match(failing.verdict.reason, /500 service errors, success rate 50 %; at best/);
  const { completeness: doubtful } = await overview(DOUBTFUL);
  assert.ok(doubtful.verdict !== undefined && doubtful.silent_estimate !== undefined);
  assert.ok(doubtful.silent_estimate > 0);
});

test('after the retirement of all silent collectors windows are known, with bounds and the loss', async () => {
  const retired = { acceptedFromMs: BEGIN_MS + 2 * MINUTE_MS, acceptedToMs: BEGIN_MS + 4 * MINUTE_MS };
  await insertRetirement(store.client, [
    { ...retired, boot: bootName(1), collector: 'edge-1', missing: 0, acceptedMax: 0 },
    { ...retired, boot: bootName(2), collector: 'edge-2', missing: 30, acceptedMax: 70 },
  ]);
  await untilRead();
  const rows = await collectors();
  assert.deepEqual(
    rows.map(({ boot, state }) => [boot, state]),
    [
      [LIVE, 'live'],
      [GONE, 'retired'],
      [KILLED, 'retired'],
      [ENDED, 'ended'],
    ],
  );
  const { retirement } = rows.find(({ boot }) => boot === KILLED) ?? {};
  assert.deepEqual(
    [retirement?.missing, retirement?.unaccounted_max, retirement?.by, retirement?.taken_back],
    [30, 70, 'operator', false],
  );
  const { completeness, data } = await overview(DOUBTFUL);
  assert.deepEqual(
    [completeness.status, completeness.missing_max, completeness.retired],
    ['partial', 100, { collectors: 1, lost_max: 100 }],
  );
  const { success, service_error: errors } = data.outcomes;
  assert.deepEqual(completeness.success_rate, {
    least: success / (success + errors + 100),
    greatest: (success + 100) / (success + 100 + errors),
  });
  // Nothing of this one was accepted when the last batch was sent.
  assert.equal((await overview(FAILING)).completeness.missing_max, 70);
  const sent = 200 * 5 + 160 + 120 + 30 + 70;
  assert.ok(
    Math.abs((completeness.ratio ?? 0) - (1 - 100 / (sent + 200 / 6))) < 0.001,
    `${completeness.ratio}`,
  );
});

test('with a known loss errors beyond the best case are the fault of the service, lost records of the telemetry', async () => {
  assert.deepEqual([await faultOf(HEALTHY), await faultOf(FAILING)], ['telemetry_fault', 'service_fault']);
  const later = { from: at(5), to: at(6.5) };
  const { completeness } = await readAnswer(app, Overview, `applications/${HEALTHY}/overview`, later);
  assert.deepEqual([completeness.missing_max, completeness.retired], [0, undefined]);
  assert.notEqual(completeness.verdict?.fault, 'service_fault');
});

test('interfaces, timeseries and the fleet carry the same bounds as the overview of their requests', async () => {
  const { completeness: expected } = await overview(DOUBTFUL);
  const path = `applications/${DOUBTFUL}`;
  const interfaces = await readAnswer(app, Type.Array(InterfaceRow), `${path}/interfaces`, WINDOW);
  const timeseries = await readAnswer(app, Type.Array(TimePoint), `${path}/timeseries`, WINDOW);
  for (const { completeness } of [interfaces, timeseries]) {
    assert.deepEqual(completeness.success_rate, expected.success_rate);
    assert.equal(completeness.verdict?.fault, expected.verdict?.fault);
  }
  const chosen = { ...WINDOW, outcome: 'service_error' };
  const failures = await readAnswer(app, Overview, `${path}/overview`, chosen);
  assert.equal(failures.completeness.verdict, undefined, 'failures alone have no success rate');
});

/** The next answer reads what is new: answers within two seconds share one reading. */
async function untilRead(): Promise<void> {
  const untilMs = Date.now() + 30_000;
  while (!(await collectors()).some(({ state }) => state === 'retired')) {
    assert.ok(Date.now() < untilMs, 'the retirement was not read');
  }
}
