import assert from 'node:assert/strict';
import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EdgeAccount, PartitionAccount } from '@imscope/schemas/edge-account.js';
import type { InterfaceMetric } from '@imscope/schemas/interface-metric.js';
import { OUTCOMES } from '@imscope/schemas/outcome.js';
import type { RequestLog } from '@imscope/schemas/request-log.js';
import fc from 'fast-check';
import type { Batch } from '../src/batches/batch.js';
import type { Incarnation } from '../src/incarnations/incarnation.js';
import {
  batcherOf,
  type IncarnationWorld,
  createWorld,
  image,
  LANES,
  newIncarnation,
  recoverIn,
} from './killed-incarnation.js';
import { storedRecord } from './sample-record.js';

const [lane] = LANES.lanes;
assert(lane !== undefined);

/** What a gateway may send, and what else happens beside it. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('batch' as const),
      records: fc.integer({ min: 0, max: 60 }),
      unlogged: fc.integer({ min: 0, max: 3 }),
      lateMs: fc.constantFrom(0, 30_000, 300_000, 3_700_000),
      synced: fc.boolean(),
      application: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('windows' as const), all: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('account' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('mark' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('refused' as const), reasons: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

let requests = 0;

/** Plays the steps on a boot. Returns the ids of records that were durable, and promises of the rest. */
async function play(
  incarnation: Incarnation,
  world: IncarnationWorld,
  steps: readonly Step[],
): Promise<Map<string, Batch>> {
  const sent = new Map<string, Batch>();
  const batcher = batcherOf(incarnation, world);
  for (const each of steps) {
    if (each.kind === 'wait') await incarnation.log.idle();
    else if (each.kind === 'windows')
      incarnation.writeDueWindows(each.all ? Number.POSITIVE_INFINITY : Date.now());
    else if (each.kind === 'account') void incarnation.writeAccount('running');
    else if (each.kind === 'mark') incarnation.log.writeMark();
    else if (each.kind === 'refused')
      incarnation.accounting.rejected(new Map([[7, new Map([['out_of_range', each.reasons]])]]));
    else if (each.kind === 'batch') {
      const of = (index: number): RequestLog =>
        storedRecord({
          sdk_app_id: each.application,
          interface: `openim/command${index % 3}`,
          time: Date.now() - each.lateMs,
          outcome: OUTCOMES[index % 4] ?? 'success',
          code: index % 5 === 0 ? null : index,
          latency_us: index * 977,
          request_id: String(requests++),
        });
      for (let index = 0; index < each.records; index++) {
        const one = of(index);
        sent.set(one.request_id, batcher.append(one, Date.now()));
      }
      for (let index = 0; index < each.unlogged; index++) batcher.countOnly(of(0), Date.now());
      const batch = batcher.next(LANES.lanes[0] ?? assert.fail(), true);
      if (batch === undefined) continue;
      const target = () => ({ partition: incarnation.requestLogs.leastQueued(batch.lane) });
      incarnation.append(batch, { synced: each.synced, target, onDone: () => undefined });
    }
  }
  return sent;
}

/** Everything Kafka holds must tell the same story, and the final account too. */
function assertAgree(world: IncarnationWorld): void {
  const logs = world.kafka.distinct('im.request-log');
  const metrics = world.kafka
    .distinct('im.interface-metric')
    .flatMap(({ records }) => records as InterfaceMetric[]);
  const accounts = world.kafka.distinct('im.edge-account').flatMap(({ records }) => records as EdgeAccount[]);
  const finals = accounts.filter(({ final }) => final);
  assert.equal(finals.length, 1, 'one final account');
  const [final] = finals;
  assert(final !== undefined);
  const weights = new Map<string, number>();
  const latencies = new Map<number, number>();
  for (const log of logs.flatMap(({ records }) => records as RequestLog[])) {
    if (log.time < Date.now() - 3_650_000) continue;
    const key = `${log.sdk_app_id} ${Math.floor(log.time / 60_000)}`;
    weights.set(key, (weights.get(key) ?? 0) + log.weight);
    latencies.set(log.sdk_app_id, (latencies.get(log.sdk_app_id) ?? 0) + log.latency_us);
  }
  const counted = new Map<string, number>();
  const latencySums = new Map<number, number>();
  let unlogged = 0;
  for (const row of metrics) {
    const key = `${row.sdk_app_id} ${Math.floor(row.window_start / 60_000)}`;
    const count = OUTCOMES.reduce((sum, outcome) => sum + row[outcome], 0);
    unlogged += count - row.logged_weight;
    if (row.logged_weight > 0) counted.set(key, (counted.get(key) ?? 0) + row.logged_weight);
    latencySums.set(row.sdk_app_id, (latencySums.get(row.sdk_app_id) ?? 0) + row.latency_sum_us);
  }
  assert.deepEqual(Object.fromEntries(counted), Object.fromEntries(weights), 'metrics equal the logs');
  for (const [application, sum] of latencies) assert.equal(latencySums.get(application), sum);
  const sampledOut = final.applications.reduce((sum, { sampled_out: out }) => sum + out, 0);
  assert(unlogged <= sampledOut, 'no metric counts more than the account');
  const accepted = final.applications.reduce((sum, each) => sum + each.accepted, 0);
  const stored = logs.reduce((sum, { records }) => sum + records.length, 0);
  assert.equal(accepted, stored + sampledOut, 'accepted = sent + sampled out');
  for (const topic of ['im.request-log', 'im.interface-metric', 'im.edge-account']) {
    for (const each of final.partitions) if (each.topic === topic) assertPartition(world, each);
  }
}

function assertPartition(world: IncarnationWorld, account: PartitionAccount): void {
  const { topic, partition, last_sequence: last } = account;
  const upTo = world.kafka
    .distinct(topic)
    .filter((message) => message.partition === partition && message.sequence <= last);
  const records = upTo.reduce((sum, message) => sum + message.records.length, 0);
  assert.equal(records, account.records, `${topic}/${partition}`);
  const sequences = upTo.map(({ sequence }) => sequence).toSorted((a, b) => a - b);
  assert.deepEqual(
    sequences,
    Array.from({ length: last + 1 }, (_, sequence) => sequence),
    'no gap',
  );
}

/** Waits for a part of what is under way: a few turns of the event loop, or milliseconds. */
async function turns(count: number): Promise<void> {
  if (count > 20) await sleep(count - 20);
  else for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}

async function end(incarnation: Incarnation): Promise<number> {
  return incarnation.log.finish(performance.now() + 20_000);
}

test('a stopped incarnation leaves no log, and its metrics and account equal its records', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const world = await createWorld();
      try {
        const incarnation = newIncarnation(world);
        await play(incarnation, world, steps);
        await incarnation.close();
        assert.equal(await end(incarnation), 0);
        assertAgree(world);
        assert.deepEqual(readdirSync(world.directory), []);
        assert.equal(world.options.space.bytes, 0);
        assert.equal(world.options.space.batches, 0);
        assert.equal(world.options.budget.bytesHeld, 0);
      } finally {
        world.remove();
      }
    }),
    { numRuns: 40 },
  );
});

test('killed at any moment, also during recovery: everything durable is sent once, and the accounting equals it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 25 }),
      fc.array(fc.constantFrom('before' as const, 'after' as const, undefined), { maxLength: 8 }),
      fc.integer({ min: 0, max: 60 }),
      fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 2 }),
      async (steps, failures, killedAfter, killedAgainAfter) => {
        const worlds: IncarnationWorld[] = [];
        try {
          let world = await createWorld();
          worlds.push(world);
          world.kafka.fails = () => failures.pop();
          const incarnation = newIncarnation(world);
          const sent = await play(incarnation, world, steps);
          await turns(killedAfter);
          const durable = [...sent].filter(([, batch]) => batch.outcome === 'durable').map(([id]) => id);
          world = await image(world);
          worlds.push(world);
          for (const after of killedAgainAfter) {
            const recovering = recoverIn(world);
            await turns(after);
            world = await image(world);
            worlds.push(world);
            await (await recovering)?.log.finish(performance.now() + 20_000);
          }
          const recovered = await recoverIn(world);
          if (recovered !== undefined) assert.equal(await end(recovered), 0);
          const stored = world.kafka
            .distinct('im.request-log')
            .flatMap(({ records }) => (records as RequestLog[]).map(({ request_id: id }) => id));
          assert.equal(new Set(stored).size, stored.length, 'nothing doubled');
          const missing = durable.filter((id) => !stored.includes(id));
          assert.deepEqual(missing, [], 'nothing durable is lost');
          if (world.kafka.messages.length > 0) assertAgree(world);
          await incarnation.close();
          await end(incarnation);
        } finally {
          for (const each of worlds) each.remove();
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('the last account of a killed incarnation of a history names the event times it covers', async () => {
  const world = await createWorld();
  const incarnation = newIncarnation(world, { fromMs: 86_400_000, toMs: 172_800_000 });
  void incarnation.writeAccount('running');
  await incarnation.log.idle();
  const killed = await image(world);
  try {
    const recovered = await recoverIn(killed);
    assert(recovered !== undefined);
    assert.equal(await end(recovered), 0);
    const accounts = killed.kafka
      .distinct('im.edge-account')
      .flatMap(({ records }) => records as EdgeAccount[]);
    const spans = accounts
      .filter(({ final }) => final)
      .map(({ covers_from: from, covers_to: to }) => [from, to]);
    assert.deepEqual(spans, [[86_400_000, 172_800_000]]);
  } finally {
    await incarnation.close();
    await end(incarnation);
    for (const each of [world, killed]) each.remove();
  }
});

test('a log truncated at any byte is read up to there and finished', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 12 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (steps, share) => {
        const world = await createWorld();
        const worlds = [world];
        try {
          world.kafka.fails = () => 'before';
          const incarnation = newIncarnation(world);
          await play(incarnation, world, steps);
          await turns(60);
          const cut = await image(world);
          worlds.push(cut);
          const directory = join(cut.directory, 'boot');
          const last = readdirSync(directory).toSorted().at(-1);
          if (last !== undefined) {
            const path = join(directory, last);
            truncateSync(path, Math.floor(statSync(path).size * share));
          }
          const recovered = await recoverIn(cut);
          if (recovered !== undefined) {
            assert.equal(await end(recovered), 0);
            assertAgree(cut);
          }
          world.kafka.fails = () => undefined;
          await incarnation.close();
          await end(incarnation);
        } finally {
          for (const each of worlds) each.remove();
        }
      },
    ),
    { numRuns: 60 },
  );
});
