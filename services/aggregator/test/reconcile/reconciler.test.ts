/* Continuous reconciliation over the real store: what it reports, when, and that only the checker does. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { createLogger } from '@imscope/runtime/logger.js';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { Registry } from 'prom-client';
import { createAggregatorMetrics } from '../../src/metrics.js';
import { storeAsk } from '../../src/store/store-ask.js';
import { Reconciler } from '../../src/reconcile/reconciler.js';
import { makeHistory, PREFIX, writeHistory } from './history.js';
import { openStoreWithTables } from './store-with-tables.js';

const NOW_MS = Math.floor(Date.now() / 60_000) * 60_000;

let store: ClickHouseClient;
let end: () => Promise<void>;

before(async () => {
  ({ store, end } = await openStoreWithTables());
});

after(() => end());

type Rig = {
  readonly reconciler: Reconciler;
  readonly lines: { level: number; msg: string; kind?: string }[];
  readonly asked: { sql: string; from: number }[];
  readonly waits: number[];
  nowMs: number;
  checker: boolean;
  away: boolean;
  whileWaiting: () => Promise<void>;
  gauges(): Promise<Record<string, number>>;
};

let rig: Rig;

beforeEach(() => {
  rig = createRig();
});

function createRig(): Rig {
  const registry = new Registry();
  const lines: Rig['lines'] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Rig['lines'][number]) };
  const ask = storeAsk(store);
  const made: Rig = {
    lines,
    asked: [],
    waits: [],
    nowMs: NOW_MS,
    checker: true,
    away: false,
    whileWaiting: async () => undefined,
    reconciler: new Reconciler({
      ask: async (sql, params) => {
        if (made.away) throw new Error('the store is away');
        made.asked.push({ sql, from: Number(params?.['from'] ?? 0) });
        return ask(sql, params);
      },
      topicPrefix: PREFIX,
      isChecker: () => made.checker,
      metrics: createAggregatorMetrics(registry),
      logger: createLogger('reconciler-test', 'info', destination),
      now: () => made.nowMs,
      wait: async (ms) => {
        made.waits.push(ms);
        await made.whileWaiting();
      },
    }),
    gauges: async () => {
      const metric = await registry.getSingleMetric('imscope_aggregator_reconcile_differences')?.get();
      return Object.fromEntries((metric?.values ?? []).map(({ labels, value }) => [labels['check'], value]));
    },
  };
  return made;
}

const AGREED = { offsets: 0, rows: 0, boots: 0, metrics: 0 };

test('a difference is in the gauges as long as it exists, and is logged once', async () => {
  // Within the scope of a recent pass.
  const history = makeHistory(7, NOW_MS - 6 * 60_000, { losses: false, keys: false });
  await writeHistory(store, history);
  await rig.reconciler.check();
  assert.deepEqual(await rig.gauges(), AGREED);
  assert.deepEqual(rig.waits, [], 'a pass without a difference is not repeated');
  await writeHistory(store, { ...history, logs: history.logs.slice(0, -1) });
  for (let minute = 1; minute <= 3; minute++) {
    rig.nowMs += 60_000;
    await rig.reconciler.check();
    assert.deepEqual(await rig.gauges(), { ...AGREED, rows: 1, metrics: 1 });
  }
  const errors = rig.lines.filter(({ level }) => level === 50);
  assert.deepEqual(new Set(errors.map(({ kind }) => kind)), new Set(['missing_logs', 'missing_rows']));
  assert.equal(errors.length, 2);
  await writeHistory(store, history);
  rig.nowMs += 60_000;
  await rig.reconciler.check();
  assert.deepEqual(await rig.gauges(), AGREED);
  assert.equal(rig.lines.at(-1)?.msg, 'ledger, accounts and rows agree again');
});

test('a difference that only the first of two passes finds was on its way, and is not reported', async () => {
  const history = makeHistory(8, NOW_MS - 30 * 60_000, { losses: false });
  await writeHistory(store, { ...history, metrics: history.metrics.slice(1) });
  rig.whileWaiting = () => writeHistory(store, history);
  await rig.reconciler.check();
  assert.equal(rig.waits.length, 1);
  assert.deepEqual(rig.lines, []);
  assert.deepEqual(await rig.gauges(), AGREED);
});

test('everything once an hour, else what arrived since the last pass without a difference', async () => {
  await writeHistory(store, makeHistory(9, NOW_MS - 30 * 60_000));
  const spans = { accounts: [] as number[], rows: [] as number[] };
  for (let minute = 0; minute <= 60; minute += 20) {
    rig.nowMs = NOW_MS + minute * 60_000;
    rig.asked.length = 0;
    await rig.reconciler.check();
    const spanOf = (part: string): number => {
      const asked = rig.asked.find(({ sql }) => sql.includes(part));
      return Math.round((rig.nowMs - (asked?.from ?? 0)) / 60_000);
    };
    spans.accounts.push(spanOf('FROM edge_account_kept'));
    spans.rows.push(spanOf('AND block_id NOT IN'));
  }
  assert.deepEqual(spans.accounts, [144 * 60, 35, 35, 144 * 60]);
  assert.deepEqual(spans.rows, [144 * 60, 25, 25, 144 * 60]);
});

test('only the checker reads and reports; a member that stops being it withdraws its reports', async () => {
  const history = makeHistory(10, NOW_MS - 30 * 60_000);
  await writeHistory(store, { ...history, logs: history.logs.slice(1) });
  rig.checker = false;
  await rig.reconciler.check();
  assert.deepEqual([rig.asked.length, await rig.gauges()], [0, {}]);
  rig.checker = true;
  await rig.reconciler.check();
  assert.equal((await rig.gauges())['rows'], 1);
  rig.checker = false;
  await rig.reconciler.check();
  assert.deepEqual(await rig.gauges(), {});
});

test('a store that does not answer is a warning, and earlier reports stay', async () => {
  const history = makeHistory(11, NOW_MS - 30 * 60_000);
  await writeHistory(store, { ...history, logs: history.logs.slice(1) });
  await rig.reconciler.check();
  rig.away = true;
  await rig.reconciler.check();
  assert.equal(rig.lines.at(-1)?.level, 40);
  assert.equal((await rig.gauges())['rows'], 1);
});
