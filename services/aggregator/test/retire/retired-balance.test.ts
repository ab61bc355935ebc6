/*
 * Retirements against the real store: what is found of a silent incarnation, and the balance once it is booked as the
 * aggregator stores it.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { checkLedger, type LedgerReport } from '../../src/reconcile/check-ledger.js';
import { describeReport } from '../../src/reconcile/describe-report.js';
import { storeAsk } from '../../src/store/store-ask.js';
import { findIncarnations } from '../../src/retire/find-incarnations.js';
import { retirementAccount } from '../../src/retire/retirement-account.js';
import { type AccountRow, type History, makeHistory, PREFIX, writeHistory } from '../reconcile/history.js';
import { openStoreWithTables } from '../reconcile/store-with-tables.js';

const NOW_MS = Math.floor(Date.now() / 60_000) * 60_000;
const START_MS = NOW_MS - 30 * 60_000;
const GONE = 'bootb00000000001';
const COLLECTOR = 'edge-2';
const LOST = 9;

let store: ClickHouseClient;
let end: () => Promise<void>;

before(async () => {
  ({ store, end } = await openStoreWithTables());
});

after(() => end());

const check = (): Promise<LedgerReport> =>
  checkLedger({
    ask: storeAsk(store),
    topicPrefix: PREFIX,
    fromMs: 0,
    nowMs: NOW_MS,
    settleMs: 600_000,
  });
const kindsOf = ({ differences }: LedgerReport): string[] => [
  ...new Set(differences.map(({ kind }) => kind)),
];

/** Killed after its last but one account, which reports two batches of nine records that never came. */
function killed(seed: number): History {
  const history = makeHistory(seed, START_MS, { losses: false, keys: false });
  const own = history.accounts.filter(({ boot }) => boot === GONE);
  const [last, final] = own.slice(-2);
  assert.ok(last !== undefined && final !== undefined);
  history.accounts.splice(history.accounts.indexOf(final), 1);
  removeAccountBatch(history, (sequence) => sequence === final.sequence);
  const part = last.partitions.find(({ topic }) => topic === 'im.request-log');
  const sent = final.partitions.find(
    ({ topic, partition }) => topic === 'im.request-log' && partition === part?.partition,
  );
  assert.ok(part !== undefined && sent !== undefined);
  part.last_sequence = sent.last_sequence + 2;
  part.records = sent.records + LOST;
  return history;
}

function removeAccountBatch({ blocks }: History, isRemoved: (sequence: number) => boolean): void {
  for (const block of blocks.filter(({ topic }) => topic === `${PREFIX}im.edge-account`)) {
    block.batches = block.batches.flatMap((range) => {
      if (range.boot !== GONE) return [range];
      const kept = Array.from(
        { length: range.last_sequence - range.first_sequence + 1 },
        (_, index) => range.first_sequence + index,
      ).filter((sequence) => !isRemoved(sequence));
      return kept.map((sequence) => ({
        boot: GONE,
        first_sequence: sequence,
        last_sequence: sequence,
        records: 1,
      }));
    });
  }
}

/** Books the retirement of all that is silent of a collector, and stores it with its block. */
async function retire(name: string): Promise<Awaited<ReturnType<typeof findIncarnations>>> {
  const found = await findIncarnations(storeAsk(store), name, { nowMs: NOW_MS, stoppedMs: undefined });
  const booking = { collector: name, retired: found.silent, by: 'operator', reason: 'its disk is lost' };
  await insertAccount(retirementAccount({ ...booking, nowMs: NOW_MS }));
  return found;
}

async function insertAccount(account: object): Promise<void> {
  await store.insert({
    table: 'edge_account',
    values: [account],
    format: 'JSONEachRow',
    clickhouse_settings: { date_time_input_format: 'best_effort' },
  });
}

test('what is found of a silent incarnation is what its accounts report and the ledger lacks', async () => {
  await writeHistory(store, killed(3));
  const found = await findIncarnations(storeAsk(store), COLLECTOR, { nowMs: NOW_MS, stoppedMs: undefined });
  assert.deepEqual([found.live, found.done], [[], []]);
  const [one, ...others] = found.silent;
  assert.deepEqual([one?.boot, one?.loss.missing, others], [GONE, LOST, []]);
  const byBoot = await findIncarnations(storeAsk(store), GONE, { nowMs: NOW_MS, stoppedMs: undefined });
  assert.deepEqual(byBoot.silent, found.silent);
  const atOnce = await findIncarnations(storeAsk(store), COLLECTOR, {
    nowMs: (one?.heardMs ?? 0) + 60_000,
    stoppedMs: undefined,
  });
  assert.deepEqual([atOnce.silent, atOnce.live], [[], [GONE]]);
});

test('once a killed incarnation is retired its loss is a column of the balance, and nothing differs', async () => {
  for (const seed of [3, 4, 5]) {
    await writeHistory(store, killed(seed));
    const before = kindsOf(await check());
    assert.ok(before.includes('silent_boot') && before.includes('unsent_batches'), before.join());
    const { silent } = await retire(COLLECTOR);
    const report = await check();
    assert.deepEqual(report.differences, [], `seed ${seed}`);
    assert.deepEqual(
      report.retired.map(({ boot, missing, by }) => [boot, missing, by]),
      [[GONE, LOST, 'operator']],
    );
    // How many records of a block across the last account are stored after it is known only roughly.
    const [{ unaccounted } = { unaccounted: -1 }] = report.retired;
    assert.ok(unaccounted >= 0 && unaccounted <= (silent[0]?.loss.acceptedMax ?? 0), `${unaccounted}`);
    assert.match(describeReport(report), /retired {5}1 boot: 9 records lost, and at most/);
  }
});

test('an account after the retirement takes it back', async () => {
  const history = killed(3);
  await writeHistory(store, history);
  await retire(COLLECTOR);
  const last = history.accounts.findLast(({ boot }) => boot === GONE);
  assert.ok(last !== undefined);
  const next: AccountRow = { ...last, sequence: last.sequence + 1, time: NOW_MS - 1_000 };
  await insertAccount({ ...next, chunks: 1 });
  const report = await check();
  assert.ok(kindsOf(report).includes('retired_returned'), kindsOf(report).join());
  assert.deepEqual(report.retired, []);
});

test('an incarnation of which only batches are known can be retired by its id', async () => {
  const history = makeHistory(4, START_MS, { losses: false, keys: false });
  for (const account of history.accounts.filter(({ boot }) => boot === GONE))
    history.accounts.splice(history.accounts.indexOf(account), 1);
  removeAccountBatch(history, () => true);
  await writeHistory(store, history);
  assert.deepEqual(kindsOf(await check()), ['no_account']);
  const { silent } = await retire(GONE);
  assert.deepEqual(
    [silent[0]?.collector, silent[0]?.lastAccount, silent[0]?.loss.missing],
    ['unknown', -1, 0],
  );
  assert.deepEqual((await check()).differences, []);
});
