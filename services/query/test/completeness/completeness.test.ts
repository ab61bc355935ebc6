import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLogger } from '@imscope/runtime/logger.js';
import { createRegistry } from '@imscope/runtime/metrics.js';
import type { Completeness } from '@imscope/schemas/query-api/envelope.js';
import { type Ask, createAsk } from '../../src/store/ask-store.js';
import { createBalanceReader } from '../../src/completeness/balance-reader.js';
import { type CompletenessOf, createCompleteness } from '../../src/completeness/completeness.js';
import type { Account } from '@imscope/accounting/running/incarnation-track.js';
import type { LedgerBlock } from '@imscope/accounting/running/running-balance.js';
import { createMetrics } from '../../src/metrics.js';
import { createQueryAdmission } from '../../src/store/query-admission.js';
import { openQuery, openStore, READ_ALL, READ_FEW, type StoreUnderTest } from '../query-under-test.js';
import { addressOf } from '../read-answer.js';
import { storedRow } from '../stored-row.js';
import { blocksOf, bootName, historyOf, MINUTE_MS, appendedAt, withKeyed } from './history.js';
import { insertAccounts, insertBlocks } from './stored-history.js';

const SPAN_MINUTES = 6;
const NOW_MS = Date.now();
const END_MS = Math.floor(NOW_MS / MINUTE_MS) * MINUTE_MS;
const BEGIN_MS = END_MS - SPAN_MINUTES * MINUTE_MS;
const WINDOW = { fromMs: BEGIN_MS, toMs: END_MS - MINUTE_MS };
const minutes = (...records: number[]): number[][] => Array.from({ length: SPAN_MINUTES }, () => records);
const history = historyOf([minutes(10, 20, 30, 40), minutes(50, 60, 70)], 2, BEGIN_MS);
const SENT = 280 * SPAN_MINUTES;
/** As long as answers share one reading. */
const LATER_MS = 2_000;

let store: StoreUnderTest;
let rowsRead: Record<string, number>;
let ask: Ask;

before(async () => {
  store = await openStore();
  const logger = createLogger('query', 'silent');
  const registry = createRegistry('query');
  const admission = createQueryAdmission(
    { runningMax: 4, waitingMax: 64, waitMsMax: 60_000 },
    () => undefined,
  );
  const metrics = createMetrics(registry, {
    storeQueriesInFlight: admission.inFlight,
    storeQueriesWaiting: admission.waiting,
  });
  const options = {
    client: store.client,
    admission,
    metrics,
    logger,
    timeoutMs: 60_000,
    memoryBytesMax: 1 << 30,
    rowsReadMax: 1e9,
  };
  const askStore = createAsk(options);
  ask = (question, sql, params, signal) =>
    askStore(
      {
        name: question.name,
        read: (answer) => {
          const read = question.read(answer);
          rowsRead[question.name] = (rowsRead[question.name] ?? 0) + read.rowsRead;
          return read;
        },
      },
      sql,
      params,
      signal,
    );
});
after(() => store.close());

async function empty(): Promise<void> {
  rowsRead = {};
  for (const table of ['block_ledger', 'edge_account']) {
    await store.client.command({ query: `TRUNCATE TABLE ${table}` });
  }
}

const figures = ({ status, ratio }: Completeness) => ({ status, ratio });

const completenessOf = (ask: Ask): CompletenessOf => createCompleteness(createBalanceReader(ask), ask);

test('a batch that is not stored makes an answer partial, until it is stored after all', async () => {
  await empty();
  const lost = history.batches[5];
  assert.ok(lost);
  await insertBlocks(store.client, blocksOf(history.batches.filter((batch) => batch !== lost)), 'prefix.');
  await insertAccounts(store.client, history.accounts, { topicPrefix: 'prefix.' });
  const completeness = completenessOf(ask);
  const wide = { ...WINDOW, toMs: END_MS - 10_000 };
  assert.deepEqual(figures(await completeness(wide, NOW_MS)), {
    status: 'partial',
    ratio: 1 - lost.records / SENT,
  });
  const [block] = blocksOf([lost]);
  assert.ok(block);
  await insertBlocks(store.client, [{ ...block, lastOffset: 1_000, appendedMs: END_MS + 1_000 }], 'prefix.');
  assert.equal((await completeness(wide, NOW_MS + LATER_MS - 1)).status, 'partial');
  assert.deepEqual(figures(await completeness(wide, NOW_MS + LATER_MS)), { status: 'complete', ratio: 1 });
});

// Between accounts 2 and 3 requests of 7 were sampled out and none was logged; of 8 some were.
const applications = ({ sequence }: Account) => [
  { sdk_app_id: 7, accepted: 50 + sequence, sampled_out: sequence },
  { sdk_app_id: 8, accepted: 10 * sequence, sampled_out: 0 },
];

test('an application without accepted records while a batch was lost lacks nothing', async () => {
  await empty();
  const lost = history.batches.find(
    ({ boot, sentMs }) => boot === bootName(0) && sentMs > BEGIN_MS + 2 * MINUTE_MS,
  );
  assert.ok(lost);
  await insertBlocks(store.client, blocksOf(history.batches.filter((batch) => batch !== lost)));
  await insertAccounts(store.client, history.accounts, { applications });
  const completeness = completenessOf(ask);
  const of = async (sdkAppId?: number) => figures(await completeness(WINDOW, NOW_MS, sdkAppId));
  assert.deepEqual(await of(7), { status: 'complete', ratio: 1 });
  const { status, ratio } = await of();
  assert.ok(status === 'partial' && ratio !== null && ratio < 1, `${status} ${ratio}`);
  assert.deepEqual(await of(8), { status, ratio });
  // Nothing of one that no account names was ever accepted.
  assert.deepEqual(await of(9), { status: 'complete', ratio: 1 });
});

test('a collector that falls silent makes answers unknown, until the next start writes its final account', async () => {
  await empty();
  const silent = bootName(1);
  const known = history.accounts.filter(({ boot, sequence }) => boot !== silent || sequence <= 2);
  await insertBlocks(store.client, blocksOf(history.batches));
  await insertAccounts(store.client, known);
  const completeness = completenessOf(ask);
  const before = await completeness(WINDOW, NOW_MS);
  assert.deepEqual(before.silent_collectors, [
    {
      collector: 'edge-1',
      boot: silent,
      last_heard: new Date(BEGIN_MS + 2 * MINUTE_MS + 20).toISOString(),
    },
  ]);
  assert.equal(before.status, 'unknown');
  const ended = { fromMs: BEGIN_MS, toMs: BEGIN_MS + 2 * MINUTE_MS - 10_000 };
  assert.equal((await completeness(ended, NOW_MS)).status, 'complete');
  const last = history.accounts.findLast(({ boot }) => boot === silent);
  assert.ok(last);
  const goodbye = { ...last, sequence: 3, timeMs: NOW_MS, final: true };
  await insertAccounts(store.client, [goodbye], { firstOffset: known.length });
  const after = await completeness(WINDOW, NOW_MS + LATER_MS);
  assert.deepEqual([after.status, after.silent_collectors], ['complete', []]);
});

const HALF_HOUR_MS = 30 * MINUTE_MS;
const halfHourOf = ({ appendedMs }: LedgerBlock): number => Math.floor(appendedMs / HALF_HOUR_MS);

/** Blocks of several batches each, harmed in every way there is, all before their partition's last half hour. */
function harm(blocks: readonly LedgerBlock[]): LedgerBlock[] {
  const edge = blocks.findIndex((block, index) => {
    const before = blocks[index - 1];
    return before?.partition === 1 && block.partition === 1 && halfHourOf(block) !== halfHourOf(before);
  });
  return blocks.flatMap((block, index) => {
    const [batch, ...others] = block.batches;
    if (batch === undefined) return [];
    const one = { boot: batch.boot, sequence: batch.first };
    if (index === 4) return [{ ...block, batches: others, dead: [one] }];
    if (index === 36) return [{ ...block, expired: [one] }];
    if (index === 68) return [{ ...block, batches: others }];
    // The first of a half hour is lost, and another is in the ledger twice, which counts once.
    if (index === edge) return [];
    return index === edge + 40 ? [block, block] : [block];
  });
}

test('the first reading gives the same result for every window as reading block by block', async () => {
  await empty();
  const lengthMinutes = 150;
  const fromMs = END_MS - lengthMinutes * MINUTE_MS;
  const sent = Array.from({ length: lengthMinutes }, (_, minute) => [10 + minute, 20, 30 + minute, 40]);
  const long = historyOf([sent], 2, fromMs);
  const [first, ...blocks] = harm(blocksOf(long.batches, 3));
  assert.ok(first);
  await insertBlocks(store.client, [first]);
  const stepwise = completenessOf(ask);
  await stepwise(WINDOW, NOW_MS);
  const at = appendedAt(first.appendedMs);
  const keyedBatch = { boot: `k${'0'.repeat(24)}`, first: 0, last: 0, records: 8, ...at };
  const ownBatch = { boot: bootName(2), first: 0, last: 3, records: 8, ...at };
  await insertBlocks(store.client, [
    ...blocks,
    { ...first, partition: 5, batches: [ownBatch] },
    // Eight records and one duplicate, of ten that were sent.
    { ...first, partition: 6, batches: [keyedBatch], keyedStored: 9 },
    { ...first, partition: 6, batches: [], lastOffset: 9, appendedMs: END_MS },
  ]);
  const keyed = { boot: bootName(0), partition: 6, minute: 7, records: 10 };
  await insertAccounts(store.client, withKeyed(long.accounts, keyed));
  const atOnce = completenessOf(ask);
  const nowMs = NOW_MS + 20_000;
  let complete = 0;
  for (let minute = 0; minute < lengthMinutes; minute++) {
    const beginMs = fromMs + minute * MINUTE_MS;
    const window = { fromMs: beginMs, toMs: beginMs + MINUTE_MS - 10_000 };
    const found = await atOnce(window, nowMs);
    assert.deepEqual(await stepwise(window, nowMs), found, `minute ${minute}`);
    if (found.ratio === 1) complete += 1;
  }
  // Dead, expired, left out, a lost block, and short of a key.
  assert.ok(complete <= lengthMinutes - 4, `${complete} minutes`);
});

test('a further reading does not read again what was read before', async () => {
  await empty();
  await store.client.command({
    query: `INSERT INTO block_ledger (cluster, topic, epoch, partition, first_offset, last_offset, cut, batches, first_appended, last_appended)
SELECT 'c', 'im.request-log', 0, number % 2, number, number, 'rows', [('${bootName(0)}', toInt64(intDiv(number, 2)), toInt64(intDiv(number, 2)), toUInt64(9))],
  fromUnixTimestamp64Milli(toInt64(${END_MS} - (400000 - number) * 360)), fromUnixTimestamp64Milli(toInt64(${END_MS} - (400000 - number) * 360))
FROM numbers(400000)`,
  });
  const completeness = completenessOf(ask);
  await completeness(WINDOW, NOW_MS);
  assert.equal(rowsRead['ledger_summary'], 400_000);
  rowsRead = {};
  await completeness(WINDOW, NOW_MS + LATER_MS);
  assert.deepEqual(Object.keys(rowsRead), ['ledger_tail']);
  // The last granule of each partition, 8,192 rows each, and the rows beside it.
  assert.ok((rowsRead['ledger_tail'] ?? 0) <= 6 * 8_192, `${rowsRead['ledger_tail']} rows`);
});

test('while a reading runs long, answers use the one before; before the first nothing is known', async () => {
  await empty();
  await insertBlocks(store.client, blocksOf(history.batches));
  await insertAccounts(store.client, history.accounts);
  const held = Promise.withResolvers<undefined>();
  let isSlow = false;
  const slowAsk: Ask = async (...asked) => {
    if (isSlow) await held.promise;
    return ask(...asked);
  };
  const completeness = completenessOf(slowAsk);
  assert.equal((await completeness(WINDOW, NOW_MS)).status, 'complete');
  isSlow = true;
  assert.equal((await completeness(WINDOW, NOW_MS + LATER_MS)).status, 'complete');
  assert.equal((await completenessOf(slowAsk)(WINDOW, NOW_MS)).status, 'unknown');
  held.resolve(undefined);
});

test('names of silent collectors are for callers who may read all applications', async () => {
  await empty();
  const silent = bootName(1);
  await store.insert([storedRow({ time: BEGIN_MS, sdk_app_id: 101 })]);
  await insertBlocks(store.client, blocksOf(history.batches));
  const known = history.accounts.filter(({ boot, sequence }) => boot !== silent || sequence <= 2);
  await insertAccounts(store.client, known);
  const { app, close } = await openQuery(store.environment);
  const span = { from: new Date(WINDOW.fromMs).toISOString(), to: new Date(WINDOW.toMs).toISOString() };
  const asked = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await app.inject({ url: addressOf('applications/101/overview', span), headers });
    return response.json<{ completeness: Completeness }>().completeness;
  };
  const [all, few] = [await asked(READ_ALL), await asked(READ_FEW)];
  await close();
  const [heard] = all.silent_collectors;
  assert.equal(heard?.collector, 'edge-1');
  assert.deepEqual(few.silent_collectors, [
    { collector: 'collector 1', boot: '', last_heard: heard.last_heard },
  ]);
  assert.doesNotMatch(JSON.stringify(few), /edge-1/);
});

test('every answer carries completeness, and without it the store still gives answers', async () => {
  await empty();
  await store.insert([storedRow({ time: BEGIN_MS, sdk_app_id: 101 })]);
  await insertBlocks(store.client, blocksOf(history.batches));
  await insertAccounts(store.client, history.accounts);
  const span = { from: new Date(WINDOW.fromMs).toISOString(), to: new Date(WINDOW.toMs).toISOString() };
  const of = async (path: string) => {
    const { app, close } = await openQuery(store.environment);
    const headers = { authorization: `Bearer ${READ_ALL}` };
    const response = await app.inject({ url: addressOf(path, span), headers });
    await close();
    assert.equal(response.statusCode, 200, response.body);
    return response.json<{ completeness: Completeness }>().completeness;
  };
  const one = ['overview', 'interfaces', 'timeseries', 'exceptions', 'requests'].map(
    (name) => `applications/101/${name}`,
  );
  for (const path of ['applications', ...one]) {
    assert.deepEqual(figures(await of(path)), { status: 'complete', ratio: 1 }, path);
  }
  // The one request is in no metric.
  assert.deepEqual(figures(await of('applications/101/monitor')), { status: 'partial', ratio: 0 });
  await store.client.command({ query: 'DROP TABLE block_ledger' });
  assert.deepEqual(await of('applications/101/overview'), {
    status: 'unknown',
    ratio: null,
    watermark: null,
    missing_max: null,
    silent_collectors: [],
    success_rate: null,
    verdict: { fault: 'unknown', reason: 'it is not known what collectors accepted in this window' },
  });
});
