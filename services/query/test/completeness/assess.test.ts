import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type LedgerBlock, RunningBalance } from '@imscope/accounting/running/running-balance.js';
import { ARRIVAL_MS, assess } from '../../src/completeness/assess.js';
import type { TimeWindow } from '../../src/figures/time-window.js';
import {
  accountBlocksOf,
  blocksOf,
  balanceOf,
  bootName,
  type History,
  historyOf,
  MINUTE_MS,
  type SentBatch,
  START_MS,
} from './history.js';

const PARTITIONS = 3;
const MINUTES = 4;
const END_MS = START_MS + MINUTES * MINUTE_MS;
const NOW_MS = END_MS + 30_000;
/** The records that collectors accept in these minutes count for the window. */
const window = (fromMinute: number, toMinute: number): TimeWindow => ({
  fromMs: START_MS + fromMinute * MINUTE_MS,
  toMs: START_MS + toMinute * MINUTE_MS - ARRIVAL_MS,
});
const iso = (timeMs: number): string => new Date(timeMs).toISOString();

/** One to three collectors over four minutes, up to six batches a minute, the first minute of the first never empty. */
const histories = fc
  .array(
    fc.array(fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 6 }), {
      minLength: MINUTES,
      maxLength: MINUTES,
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map(([first = [], ...rest]) =>
    historyOf([[[7, ...(first[0] ?? [])], ...first.slice(1)], ...rest], PARTITIONS),
  );
const spans = fc
  .tuple(fc.integer({ min: 0, max: MINUTES - 1 }), fc.integer({ min: 1, max: MINUTES }))
  .map(([from, length]) => ({ from, to: Math.min(MINUTES, from + length) }));
const minuteOf = ({ sentMs }: SentBatch): number => Math.floor((sentMs - START_MS) / MINUTE_MS);
const sum = (batches: readonly SentBatch[]): number =>
  batches.reduce((total, { records }) => total + records, 0);
const sentIn = (history: History, span: { from: number; to: number }): SentBatch[] =>
  history.batches.filter((batch) => minuteOf(batch) >= span.from && minuteOf(batch) < span.to);
const withBlocks = ({ accounts }: History, blocks: readonly LedgerBlock[]): RunningBalance =>
  balanceOf({ accounts, blocks });

test('a history that is stored as it was sent is complete in every window its accounts reach', () => {
  fc.assert(
    fc.property(histories, spans, fc.integer({ min: 1, max: 4 }), (history, { from, to }, messages) => {
      const balance = withBlocks(history, blocksOf(history.batches, messages));
      const { status, ratio, silent_collectors } = assess(balance, window(from, to), NOW_MS);
      assert.deepEqual(
        { status, ratio, silent_collectors },
        { status: 'complete', ratio: 1, silent_collectors: [] },
      );
    }),
  );
});

test('one batch that is not stored makes the windows of its minute partial with the exact ratio, and no others', () => {
  fc.assert(
    fc.property(histories, spans, fc.nat(), (history, span, pick) => {
      const lost = history.batches[pick % history.batches.length];
      assert.ok(lost);
      const kept = history.batches.filter((batch) => batch !== lost);
      const { status, ratio } = assess(
        withBlocks(history, blocksOf(kept)),
        window(span.from, span.to),
        NOW_MS,
      );
      if (minuteOf(lost) < span.from || minuteOf(lost) >= span.to) {
        assert.equal(ratio, 1);
        return;
      }
      assert.equal(status, 'partial');
      const sent = sum(sentIn(history, span));
      assert.ok(Math.abs((ratio ?? 0) - (sent - lost.records) / sent) < 1e-9, `${ratio} of ${sent}`);
    }),
  );
});

test('where blocks hold batches of two minutes, a lost one still shows, within what its minute held', () => {
  fc.assert(
    fc.property(histories, fc.integer({ min: 2, max: 4 }), fc.nat(), (history, messages, pick) => {
      const lost = history.batches[pick % history.batches.length];
      assert.ok(lost);
      const kept = history.batches.filter((batch) => batch !== lost);
      const minute = minuteOf(lost);
      const { status, ratio } = assess(
        withBlocks(history, blocksOf(kept, messages)),
        window(minute, minute + 1),
        NOW_MS,
      );
      assert.equal(status, 'partial');
      const ofMinute = sentIn(history, { from: minute, to: minute + 1 });
      const same = ofMinute.filter((batch) => batch.boot === lost.boot && batch.partition === lost.partition);
      assert.ok((ratio ?? 1) < 1);
      assert.ok((ratio ?? 0) >= 1 - sum(same) / sum(ofMinute) - 1e-9, `${ratio}`);
    }),
  );
});

test('the watermark never passes a batch that is not stored in a partition it knows, whatever the position of each one', () => {
  fc.assert(
    fc.property(
      histories,
      fc.array(fc.nat({ max: MINUTES * MINUTE_MS }), { minLength: PARTITIONS, maxLength: PARTITIONS }),
      fc.integer({ min: 1, max: 3 }),
      (history, reached, accountsTaken) => {
        const isStored = ({ sentMs, partition }: SentBatch): boolean =>
          sentMs - START_MS < (reached[partition] ?? 0);
        const accounts = history.accounts.filter(({ sequence }) => sequence <= accountsTaken);
        const blocks = blocksOf(history.batches.filter(isStored));
        const nowMs = START_MS + accountsTaken * MINUTE_MS + 30_000;
        const { watermark } = assess(balanceOf({ blocks, accounts }), window(0, MINUTES), nowMs);
        const heardOf = new Set(
          [...blocks, ...accounts.flatMap(({ sent }) => sent)].map((one) => one.partition),
        );
        const missing = history.batches.filter((batch) => heardOf.has(batch.partition) && !isStored(batch));
        for (const { sentMs } of missing) {
          assert.ok(
            watermark === null || Date.parse(watermark) <= sentMs + 20,
            `${watermark}, but ${iso(sentMs)} is not stored`,
          );
        }
      },
    ),
  );
});

test('blocks and accounts give the same result in any order', () => {
  fc.assert(
    fc.property(histories, spans, fc.infiniteStream(fc.boolean()), (history, { from, to }, coins) => {
      const lost = history.batches.filter((_, index) => index % 3 !== 1);
      const blocks = blocksOf(lost);
      const asked = window(from, to);
      const inOrder = assess(balanceOf({ blocks, accounts: history.accounts }), asked, NOW_MS);
      const mixed = new RunningBalance();
      for (const block of accountBlocksOf(history.accounts)) mixed.addBlock(block);
      const queues = [
        blocks.map((block) => () => mixed.addBlock(block)),
        history.accounts.map((account) => () => mixed.addAccount(account, START_MS)),
      ];
      while (queues.some((queue) => queue.length > 0)) {
        const [first = [], second = []] = queues;
        const takesFirst = second.length === 0 || (first.length > 0 && coins.next().value === true);
        (takesFirst ? first : second).shift()?.();
      }
      assert.deepEqual(assess(mixed, asked, NOW_MS), inOrder);
    }),
  );
});

const steady = historyOf([
  Array.from({ length: MINUTES }, () => [10, 20, 30, 40]),
  Array.from({ length: MINUTES }, () => [50, 60]),
]);
const steadyBalance = (accounts = steady.accounts): RunningBalance =>
  balanceOf({ blocks: blocksOf(steady.batches), accounts });

test('a window is partial until every collector has accounted for it, and until it is stored', () => {
  const { status, ratio, watermark } = assess(steadyBalance(), { fromMs: START_MS, toMs: END_MS }, NOW_MS);
  assert.deepEqual({ status, ratio }, { status: 'partial', ratio: 1 });
  assert.ok(watermark !== null && Date.parse(watermark) >= END_MS - MINUTE_MS, `${watermark}`);
});

test('a collector silent for two minutes makes windows unknown that end after its last account, and names it', () => {
  const early = steady.accounts.filter(({ boot, sequence }) => boot === bootName(0) || sequence <= 1);
  const lastMs = START_MS + MINUTE_MS;
  const balance = steadyBalance(early);
  const justBefore = assess(balance, window(0, 3), lastMs + 20 + 120_000);
  assert.equal(justBefore.status, 'partial');
  assert.deepEqual(justBefore.silent_collectors, []);
  const after = assess(balance, window(0, 3), lastMs + 21 + 120_000);
  assert.equal(after.status, 'unknown');
  assert.deepEqual(after.silent_collectors, [
    { collector: 'edge-1', boot: bootName(1), last_heard: iso(lastMs + 20) },
  ]);
  const before = assess(balance, window(0, 1), lastMs + 21 + 120_000);
  assert.deepEqual([before.status, before.silent_collectors], ['complete', []]);
});

test('a silent collector matters for 24 hours after its last sign, as long as a batch waits at the edge', () => {
  const early = steady.accounts.filter(({ boot, sequence }) => boot === bootName(0) || sequence <= 1);
  const balance = steadyBalance(early);
  const heardMs = START_MS + MINUTE_MS + 20;
  const dayMs = 24 * 60 * MINUTE_MS;
  const from = (fromMs: number) =>
    assess(balance, { fromMs, toMs: fromMs + MINUTE_MS }, fromMs + 2 * MINUTE_MS).silent_collectors.map(
      ({ collector }) => collector,
    );
  assert.ok(from(heardMs + dayMs - 1).includes('edge-1'));
  assert.ok(!from(heardMs + dayMs).includes('edge-1'));
});

test('a collector that wrote its final account is not silent, and delays no window', () => {
  const goodbye = steady.accounts.map((account) => ({ ...account, final: account.sequence === MINUTES }));
  const laterMs = END_MS + 60 * MINUTE_MS;
  const { status, silent_collectors } = assess(
    steadyBalance(goodbye),
    { fromMs: START_MS, toMs: END_MS - 1 },
    laterMs,
  );
  assert.deepEqual([status, silent_collectors], ['complete', []]);
});

test('once all collectors wrote their final accounts, windows are complete up to there and no farther', () => {
  const goodbye = steady.accounts.map((account) => ({ ...account, final: account.sequence === MINUTES }));
  const { status, watermark } = assess(
    steadyBalance(goodbye),
    { fromMs: START_MS, toMs: END_MS + MINUTE_MS },
    END_MS + 60 * MINUTE_MS,
  );
  assert.deepEqual([status, watermark], ['partial', iso(END_MS)]);
});

test('records that an incarnation accepted before its first account count from its start', () => {
  const accounts = steady.accounts.filter(({ sequence }) => sequence > 0);
  const [lost] = steady.batches;
  assert.ok(lost);
  const balance = balanceOf({ blocks: blocksOf(steady.batches.slice(1)), accounts });
  const sent = sum(sentIn(steady, { from: 0, to: 1 }));
  assert.equal(assess(balance, window(0, 1), NOW_MS).ratio, 1 - lost.records / sent);
});

test('a batch that is in two blocks counts once, and does not replace another', () => {
  const [lost, second] = steady.batches.filter(
    ({ boot, partition }) => boot === bootName(0) && partition === 0,
  );
  assert.ok(lost && second);
  const twice = blocksOf([...steady.batches.filter((batch) => batch !== lost), second]);
  const { ratio } = assess(balanceOf({ blocks: twice, accounts: steady.accounts }), window(0, 4), NOW_MS);
  assert.equal(ratio, 1 - lost.records / sum(steady.batches));
});

test('a lost batch that later ones overtook does not hold the watermark back', () => {
  const [lost] = steady.batches;
  const balance = balanceOf({ blocks: blocksOf(steady.batches.slice(1)), accounts: steady.accounts });
  assert.ok(lost);
  assert.equal(assess(balance, window(0, 4), NOW_MS).watermark, iso(END_MS));
});

test('an incarnation with batches and no account is silent after two minutes', () => {
  const blocks = blocksOf(steady.batches);
  const accounts = steady.accounts.filter(({ boot }) => boot === bootName(0));
  const firstMs = Math.min(
    ...steady.batches.filter(({ boot }) => boot === bootName(1)).map(({ sentMs }) => sentMs),
  );
  const { status, silent_collectors } = assess(balanceOf({ blocks, accounts }), window(0, 4), NOW_MS);
  assert.equal(status, 'unknown');
  assert.deepEqual(silent_collectors, [
    { collector: 'unknown', boot: bootName(1), last_heard: iso(firstMs + 20) },
  ]);
});

test('nothing is known where no account covers the window, and nothing is missing where nothing was sent', () => {
  const dayMs = 24 * 60 * MINUTE_MS;
  const before = assess(steadyBalance(), { fromMs: START_MS - dayMs, toMs: START_MS - MINUTE_MS }, NOW_MS);
  assert.deepEqual([before.status, before.ratio], ['unknown', null]);
  const silence = historyOf([Array.from({ length: MINUTES }, () => [])]);
  const idle = assess(balanceOf({ blocks: [], accounts: silence.accounts }), window(0, 4), NOW_MS);
  assert.deepEqual([idle.status, idle.ratio, idle.watermark], ['complete', 1, iso(END_MS)]);
});

test('expired and dead batches are missing, and are not waited for', () => {
  const lastOf = (partition: number): SentBatch | undefined =>
    steady.batches.filter((batch) => batch.boot === bootName(0) && batch.partition === partition).at(-1);
  const [expired, dead] = [lastOf(0), lastOf(1)];
  assert.ok(expired && dead);
  const blocks = blocksOf(steady.batches).map((block): LedgerBlock => {
    const holds = (lost: SentBatch): boolean =>
      block.partition === lost.partition &&
      block.batches.some(({ boot, first }) => boot === lost.boot && first === lost.sequence);
    // An expired batch came empty under its id; of a dead one there is no batch.
    if (holds(expired)) {
      return { ...block, batches: block.batches.map((one) => ({ ...one, records: 0 })), expired: [expired] };
    }
    return holds(dead) ? { ...block, batches: [], dead: [dead] } : block;
  });
  const { status, ratio, watermark } = assess(
    balanceOf({ blocks, accounts: steady.accounts }),
    window(0, 4),
    NOW_MS,
  );
  const sent = sum(steady.batches);
  assert.equal(status, 'partial');
  assert.equal(ratio, 1 - (expired.records + dead.records) / sent);
  assert.equal(watermark, iso(END_MS));
});

test('records sent in the last 10 s are on their way: partial, but the ratio stays', () => {
  const kept = steady.batches.filter(({ sentMs }) => sentMs < END_MS - MINUTE_MS);
  const balance = balanceOf({ blocks: blocksOf(kept), accounts: steady.accounts });
  const soon = assess(balance, window(0, 4), END_MS + 9_999);
  assert.deepEqual([soon.status, soon.ratio], ['partial', 1]);
  assert.equal(assess(balance, window(0, 4), END_MS + 10_000).ratio, 0.75);
});

test('a collector whose clock is ahead counts no farther than its last append in Kafka', () => {
  const aheadMs = 3 * MINUTE_MS;
  const balance = new RunningBalance();
  for (const block of [...blocksOf(steady.batches), ...accountBlocksOf(steady.accounts)])
    balance.addBlock(block);
  for (const account of steady.accounts)
    balance.addAccount({ ...account, timeMs: account.timeMs + aheadMs }, START_MS);
  const { status } = assess(balance, { fromMs: START_MS, toMs: END_MS + MINUTE_MS }, NOW_MS);
  assert.equal(status, 'partial');
});

test('an incarnation that began before accounts are kept is counted from the first account kept', () => {
  const nowMs = NOW_MS + 7 * 24 * 60 * MINUTE_MS;
  const late = steady.accounts.filter(({ sequence }) => sequence >= 2);
  const kept = steady.batches.filter((batch) => minuteOf(batch) >= 2);
  const balance = new RunningBalance();
  for (const block of [...blocksOf(kept), ...accountBlocksOf(late)]) balance.addBlock(block);
  for (const account of late) balance.addAccount(account, nowMs);
  const { ratio, silent_collectors } = assess(balance, window(0, 4), NOW_MS);
  assert.deepEqual([ratio, silent_collectors], [1, []]);
});

test('an idle partition does not hold the watermark back, and one with a batch on its way does', () => {
  const early = steady.batches.filter(
    ({ partition, sentMs }) => partition === 0 || sentMs < START_MS + MINUTE_MS,
  );
  const idle = early.map(({ boot, partition, sequence, records, sentMs }) => ({
    boot,
    partition,
    sequence,
    records,
    sentMs,
  }));
  const lastOf = (boot: string, partition: number, beforeMs: number) =>
    idle.filter((one) => one.boot === boot && one.partition === partition && one.sentMs < beforeMs);
  const accounts = steady.accounts.map((account) => ({
    ...account,
    sent: [0, 1].flatMap((partition) => {
      const sent = lastOf(account.boot, partition, account.timeMs);
      return sent.length === 0
        ? []
        : [
            {
              partition,
              lastSequence: Math.max(...sent.map(({ sequence }) => sequence)),
              records: sum(sent),
            },
          ];
    }),
  }));
  const stored = assess(balanceOf({ blocks: blocksOf(idle), accounts }), window(0, 4), NOW_MS);
  assert.equal(stored.watermark, iso(END_MS));
  const last = lastOf(bootName(0), 1, END_MS).at(-1);
  assert.ok(last);
  const without = blocksOf(idle.filter((one) => one.partition === 0 || one.sentMs < last.sentMs));
  const waiting = assess(balanceOf({ blocks: without, accounts }), window(0, 4), NOW_MS);
  assert.ok(
    waiting.watermark !== null && Date.parse(waiting.watermark) < last.sentMs,
    `${waiting.watermark}`,
  );
});
