/*
 * The four checks against the real store: over consistent histories they say nothing, and each single fault that is
 * put into the tables is named, and nothing else.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { isKeyedBoot } from '@imscope/schemas/batch-headers.js';
import { checkLedger, type LedgerReport } from '../../src/reconcile/check-ledger.js';
import { storeAsk } from '../../src/store/store-ask.js';
import { openStoreWithTables } from './store-with-tables.js';
import { type History, makeHistory, PREFIX, writeAccounts, writeHistory } from './history.js';

const NOW_MS = Math.floor(Date.now() / 60_000) * 60_000;
const START_MS = NOW_MS - 30 * 60_000;

let store: ClickHouseClient;
let end: () => Promise<void>;

before(async () => {
  ({ store, end } = await openStoreWithTables());
});

after(() => end());

async function check(history: History, { fromMs = 0, nowMs = NOW_MS } = {}): Promise<LedgerReport> {
  await writeHistory(store, history);
  return checkLedger({ ask: storeAsk(store), topicPrefix: PREFIX, fromMs, nowMs, settleMs: 600_000 });
}

test('consistent histories make no difference, whatever part of them is compared', async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const history = makeHistory(seed, START_MS);
    const all = await check(history);
    assert.deepEqual(all.differences, [], `seed ${seed}`);
    assert.equal(all.checked.rows, history.logs.length);
    assert.equal(all.checked.blocks, history.blocks.length);
    const fromMs = START_MS + 150_000;
    const { differences } = await check(history, { fromMs });
    assert.deepEqual(differences, [], `seed ${seed} in part`);
  }
});

type Fault = {
  readonly title: string;
  /** Breaks one thing, and says what must be named. */
  readonly break: (history: History) => readonly object[];
};

function only<T>(items: readonly T[], fits: (item: T) => boolean = () => true): T {
  const found = items.find(fits);
  assert.ok(found !== undefined, 'the history has nothing to break here');
  return found;
}

function hasSequence({ boot, records }: { boot: string; records: number }): boolean {
  return records > 0 && !isKeyedBoot(boot);
}

const isLog = ({ topic }: { topic: string }): boolean => topic === `${PREFIX}im.request-log`;
const minuteOf = (ms: number): string =>
  new Date(Math.floor(ms / 60_000) * 60_000).toISOString().replace('.000', '');

const FAULTS: readonly Fault[] = [
  {
    title: 'a row that is gone',
    break: ({ logs }) => {
      const row = only(logs, ({ block_row, time }) => block_row === 1 && time >= START_MS);
      logs.splice(logs.indexOf(row), 1);
      return [
        { check: 'rows', kind: 'missing_rows', block: row.block_id },
        { check: 'metrics', kind: 'missing_logs', sdk_app_id: row.sdk_app_id, minute: minuteOf(row.time) },
      ];
    },
  },
  {
    title: 'a row in the place of another',
    break: ({ logs }) => {
      const row = only(logs, ({ block_row }) => block_row === 1);
      logs[logs.indexOf(row)] = { ...row, block_row: 0 };
      return [
        { check: 'rows', kind: 'missing_rows', block: row.block_id },
        { check: 'rows', kind: 'doubled_rows', block: row.block_id },
      ];
    },
  },
  {
    title: 'a block that is there twice',
    break: ({ logs }) => {
      const late = new Set(logs.filter(({ time }) => time < START_MS).map((row) => row.block_id));
      const { block_id } = only(logs, (row) => !late.has(row.block_id));
      const rows = logs.filter((row) => row.block_id === block_id);
      logs.push(...rows);
      const minutes = new Set(rows.map(({ sdk_app_id, time }) => `${sdk_app_id} ${minuteOf(time)}`));
      return [
        {
          check: 'rows',
          kind: 'doubled_rows',
          block: block_id,
          expected: rows.length,
          found: 2 * rows.length,
        },
        ...[...minutes].map((at) => ({
          check: 'metrics',
          kind: 'missing_metrics',
          sdk_app_id: Number(at.split(' ')[0]),
          minute: at.split(' ')[1],
        })),
      ];
    },
  },
  {
    title: 'a ledger row that is lost',
    break: ({ blocks, logs }) => {
      const later = (block: (typeof blocks)[number]): boolean =>
        blocks.some(
          (other) =>
            other.partition === block.partition && isLog(other) && other.first_offset > block.last_offset,
        );
      const block = only(blocks, (one) => isLog(one) && one.first_offset > 0 && one.rows > 0 && later(one));
      blocks.splice(blocks.indexOf(block), 1);
      const { topic, partition, first_offset, last_offset } = block;
      const firsts = new Map<string, number>();
      const lost = [
        ...block.batches,
        ...block.dead_batches.map((dead) => ({ ...dead, first_sequence: dead.sequence })),
      ];
      for (const { boot, first_sequence: first } of lost) {
        if (isKeyedBoot(boot)) continue;
        firsts.set(boot, Math.min(first, firsts.get(boot) ?? Infinity));
      }
      const [row] = logs.filter(({ block_id }) => block_id === block.block_ids[0]);
      return [
        { check: 'offsets', kind: 'offset_gap', topic, partition, first_offset, last_offset },
        {
          check: 'rows',
          kind: 'unbooked_rows',
          block: row?.block_id,
          found: block.rows,
          partition,
          first_offset,
        },
        ...Array.from(firsts, ([boot, first_sequence]) => ({
          check: 'boots',
          topic,
          partition,
          boot,
          first_sequence,
        })),
      ];
    },
  },
  {
    title: 'a batch that never came',
    break: ({ blocks, logs }) => {
      const late = new Set(logs.filter(({ time }) => time < START_MS).map(({ block_id }) => block_id));
      const block = only(
        blocks,
        (one) => isLog(one) && one.batches.some(hasSequence) && !late.has(one.block_ids[0] ?? ''),
      );
      const [batch] = block.batches.splice(block.batches.findIndex(hasSequence), 1);
      assert.ok(batch !== undefined);
      // The block is as long as before: a marker is in the batch's place.
      const rows = logs.filter(({ block_id }) => block_id === block.block_ids[0]);
      for (const row of rows.slice(block.rows - batch.records)) logs.splice(logs.indexOf(row), 1);
      block.rows -= batch.records;
      if (block.rows === 0) block.block_ids = [];
      const { topic, partition } = block;
      const { boot, first_sequence } = batch;
      return [
        { check: 'boots', topic, partition, boot, first_sequence },
        { check: 'metrics', kind: 'missing_logs' },
      ];
    },
  },
  {
    title: 'a batch that two blocks stored',
    break: ({ blocks }) => {
      const [first, second] = blocks.filter((one) => isLog(one) && one.partition === 0 && one.rows > 0);
      assert.ok(first !== undefined && second !== undefined);
      const batch = only(first.batches);
      second.batches.push({ ...batch, records: 0 });
      const { topic, partition } = first;
      const { boot, first_sequence, last_sequence } = batch;
      return [
        { check: 'boots', kind: 'doubled_batches', topic, partition, boot, first_sequence, last_sequence },
      ];
    },
  },
  {
    title: 'an account that is gone',
    break: ({ accounts }) => {
      const account = only(accounts, ({ sequence }) => sequence === 2);
      accounts.splice(accounts.indexOf(account), 1);
      const { boot, collector } = account;
      return [{ check: 'rows', kind: 'missing_accounts', boot, collector, words: 'account 2 is missing' }];
    },
  },
  {
    title: 'all accounts of an incarnation',
    break: ({ accounts }) => {
      const { boot } = only(accounts);
      for (const account of accounts.filter((one) => one.boot === boot))
        accounts.splice(accounts.indexOf(account), 1);
      return [
        { check: 'rows', kind: 'missing_accounts', boot, found: 0 },
        { check: 'boots', kind: 'no_account', boot },
      ];
    },
  },
  {
    title: 'a final account that is gone',
    break: ({ accounts }) => {
      const account = only(accounts, ({ final }) => final);
      accounts.splice(accounts.indexOf(account), 1);
      const { boot } = account;
      return [
        { check: 'rows', kind: 'missing_accounts', boot },
        { check: 'boots', kind: 'silent_boot', boot },
        { check: 'boots', kind: 'unvouched_batches', boot },
      ];
    },
  },
  {
    title: 'an account that says fewer records',
    break: ({ accounts }) => {
      const account = only(accounts, ({ final }) => final);
      const part = only(account.partitions, ({ topic }) => topic === 'im.request-log');
      part.records -= 3;
      const { boot } = account;
      const { partition } = part;
      return [
        {
          check: 'boots',
          kind: 'record_sum',
          topic: `${PREFIX}im.request-log`,
          boot,
          partition,
          expected: part.records,
        },
      ];
    },
  },
  {
    title: 'batches that were logged and never sent',
    break: ({ accounts }) => {
      const account = only(accounts, ({ final }) => final);
      const part = only(account.partitions, ({ topic }) => topic === 'im.request-log');
      part.records += 9;
      part.last_sequence += 2;
      const { boot } = account;
      const { partition, last_sequence } = part;
      return [
        {
          check: 'boots',
          kind: 'unsent_batches',
          boot,
          partition,
          first_sequence: last_sequence - 1,
          last_sequence,
        },
      ];
    },
  },
  {
    title: 'a metric that is gone',
    break: ({ metrics }) => {
      const metric = only(metrics);
      metrics.splice(metrics.indexOf(metric), 1);
      const { sdk_app_id, window_start } = metric;
      return [{ check: 'metrics', kind: 'missing_metrics', sdk_app_id, minute: minuteOf(window_start) }];
    },
  },
];

for (const fault of FAULTS) {
  test(`${fault.title}: named, and nothing else`, async () => {
    for (const losses of [false, true]) {
      const history = makeHistory(3, START_MS, { losses });
      // Records that the ledger counts as lost let the metrics be ahead of the logs: a fault may even that out.
      const named = fault
        .break(history)
        .filter((one) => !losses || !('check' in one && one.check === 'metrics'));
      const { differences } = await check(history);
      for (const expected of named) {
        const found = differences.some((difference) =>
          Object.entries(expected).every(
            ([name, value]) => difference[name as keyof typeof difference] === value,
          ),
        );
        assert.ok(
          found,
          `${JSON.stringify(expected)} is not among ${JSON.stringify(differences, undefined, 1)}`,
        );
      }
      // Batches under keys that went with it are named by their sum.
      const kinds = new Set(named.flatMap((one) => ('kind' in one ? [one.kind] : [])));
      const further = differences.filter(
        ({ kind, check: by }) =>
          !kinds.has(kind) &&
          kind !== 'missing_batches' &&
          kind !== 'keyed_sum' &&
          !(losses && by === 'metrics'),
      );
      assert.deepEqual(further, [], 'what was not broken is named too');
    }
  });
}

test('a block that is being stored makes no difference: its rows are there before its ledger row', async () => {
  const history = makeHistory(5, START_MS);
  const block = history.blocks.findLast((one) => isLog(one) && one.rows > 0);
  assert.ok(block !== undefined);
  const place = ({ topic, partition }: typeof block): string => `${topic}/${partition}`;
  const delayed = history.blocks.filter(
    (one) => place(one) === place(block) && one.first_offset >= block.first_offset,
  );
  for (const one of delayed) history.blocks.splice(history.blocks.indexOf(one), 1);
  const { differences, pending } = await check(history, { nowMs: START_MS + 7 * 60_000 });
  assert.deepEqual(differences, []);
  assert.ok(pending.batches > 0, 'its batches are on their way');
});

test('an account that arrives between two statements of a pass makes no difference', async () => {
  const history = makeHistory(4, START_MS, { losses: false, keys: false });
  const [account] = history.accounts.splice(
    history.accounts.findLastIndex(({ boot }) => boot === 'boota00000000001'),
    1,
  );
  assert.ok(account !== undefined);
  await writeHistory(store, history);
  const ask = storeAsk(store);
  let arrived = false;
  const report = await checkLedger({
    ask: async (sql, params) => {
      // The batches of the ledger are read after what accounts say of them.
      if (!arrived && sql.includes('doubled_first')) {
        arrived = true;
        await writeAccounts(store, [account]);
      }
      return ask(sql, params);
    },
    topicPrefix: PREFIX,
    fromMs: 0,
    nowMs: START_MS + 7 * 60_000,
    settleMs: 600_000,
  });
  assert.ok(arrived);
  assert.deepEqual(report.differences, []);
});
