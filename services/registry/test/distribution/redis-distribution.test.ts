/* From the registry's rows through a real Redis into the copy that collectors and query services have. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { createRedisClient, type RedisClient } from '@imscope/access/redis-client.js';
import { createRedisSource } from '@imscope/access/redis-source.js';
import { hashToken } from '@imscope/access/tokens.js';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { DELETED_ENTRY_KEPT_MS, redisNames } from '@imscope/schemas/registry-entry.js';
import { type RedisServer, startRedis } from '@imscope/scripts/stack/redis.js';
import { createRedisSink } from '../../src/distribution/redis-sink.js';
import {
  applicationEntry,
  type DistributionUnderTest,
  isValid,
  openDistribution,
  tokenEntry,
  until,
} from './distribution-under-test.js';

const ONE = 'gateway-one-0123456789';
const TWO = 'gateway-two-0123456789';
const directory = mkdtempSync(join(tmpdir(), 'imscope-redis-'));
let redis: RedisServer;
let client: RedisClient;
let distribution: DistributionUnderTest;
let count = 0;
let settings: { url: string; user: string; password: string; prefix: string };

before(async () => {
  redis = await startRedis({ dataDir: directory });
});
beforeEach(async () => {
  count += 1;
  settings = { url: `redis://${redis.address}`, user: '', password: '', prefix: `test-${count}` };
  distribution = await openDistribution();
  client = createRedisClient(settings, 'test');
  client.on('error', () => undefined);
  await client.connect();
});
afterEach(async () => {
  await distribution.close();
  if (client.isOpen) client.destroy();
});
after(async () => {
  await redis.stop();
  rmSync(directory, { recursive: true });
});

const source = () => createRedisSource(settings, 'test');
const sink = () => createRedisSink(settings);

test('what is created, changed and deleted reaches a receiver, in one transaction together', async () => {
  await distribution.write([tokenEntry(ONE), applicationEntry(7, { quota_per_second: 10 })]);
  const publisher = distribution.publish([sink()]);
  const receiver = await distribution.receive(source());
  await until(() => isValidNow(ONE), 'the first publication');
  assert.equal(receiver.applicationSettings(7).quotaPerSecond, 10);
  const changed = applicationEntry(7, { status: 'terminated', codes: { '90992': 'caller_error' } });
  await distribution.write([tokenEntry(TWO), changed], [`token/${hashToken(ONE)}`]);
  publisher.wake();
  await until(() => !isValidNow(ONE), 'the change');
  assert.equal(isValid(receiver, TWO), true);
  const { status, quotaPerSecond, codes } = receiver.applicationSettings(7);
  assert.deepEqual([status, quotaPerSecond], ['terminated', Number.POSITIVE_INFINITY]);
  assert.deepEqual([...codes], [[90_992, 'caller_error']]);
  assert.deepEqual([...receiver.terminated()], [7]);

  function isValidNow(token: string): boolean {
    return receiver.state().known && isValid(receiver, token);
  }
});

test('while Redis is away what is known stays in force; a token revoked meanwhile ends soon after its return', async () => {
  await distribution.write([tokenEntry(ONE), tokenEntry(TWO)]);
  const publisher = distribution.publish([sink()]);
  const receiver = await distribution.receive(source());
  await until(() => receiver.state().connected, 'the first publication');
  await redis.stop();
  await until(() => !receiver.state().connected, 'the loss is noticed');
  assert.equal(isValid(receiver, ONE), true);
  assert.match(receiver.failure() ?? '', /Redis at 127\.0\.0\.1/);
  await distribution.write([], [`token/${hashToken(ONE)}`]);
  await until(() => publisher.state()[0]?.failure !== undefined, 'the publisher notices the loss');
  assert.equal(publisher.state()[0]?.lag, 1);
  await redis.restart();
  await until(() => !isValid(receiver, ONE), 'the revocation');
  assert.equal(isValid(receiver, TWO), true);
  await until(() => publisher.state()[0]?.lag === 0, 'nothing is left');
});

test('an emptied Redis takes nothing away from receivers, and is filled again', async () => {
  await distribution.write([tokenEntry(ONE), tokenEntry(TWO)]);
  const publisher = distribution.publish([sink()]);
  const receiver = await distribution.receive(source());
  await until(() => receiver.state().connected, 'the first publication');
  await publisher.stop();
  await client.flushAll();
  await until(() => !receiver.state().connected, 'the loss is noticed');
  assert.match(receiver.failure() ?? '', /no complete publication/);
  assert.equal(isValid(receiver, ONE), true);
  await distribution.write([], [`token/${hashToken(ONE)}`]);
  distribution.publish([sink()]);
  await until(() => !isValid(receiver, ONE), 'the revocation');
  assert.equal(isValid(receiver, TWO), true);
});

test('a key that Redis evicted is published again', async () => {
  await distribution.write([tokenEntry(ONE)]);
  const publisher = distribution.publish([sink()]);
  await until(() => publisher.state()[0]?.republished === 1, 'the first publication');
  await client.del(redisNames(settings.prefix).entries);
  await until(() => publisher.state()[0]?.republished === 2, 'the second publication');
  const receiver = await distribution.receive(source());
  await until(() => receiver.state().known, 'everything is read');
  assert.equal(isValid(receiver, ONE), true);
});

test('a start while Redis is away goes on with the cache file, which holds hashes and is for its owner alone', async () => {
  await distribution.write([
    tokenEntry(ONE, { applications: [7], expires_ms: 4_000_000_000_000 }),
    applicationEntry(7, { limit_per_second: 10 }),
    { kind: 'defaults', quota_per_second: 5 },
  ]);
  const publisher = distribution.publish([sink()]);
  const first = await distribution.receive(source(), 'cache');
  await until(() => first.state().known, 'the first publication');
  await distribution.write([tokenEntry(TWO)]);
  publisher.wake();
  await until(() => isValid(first, TWO), 'the change');
  await first.stop();
  const path = distribution.cachePath('cache');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.match(readFileSync(path, 'utf8'), new RegExp(hashToken(ONE)));
  await redis.stop();
  const second = await distribution.receive(source(), 'cache');
  assert.equal(isValid(second, ONE), true);
  assert.equal(isValid(second, TWO), true);
  assert.equal(second.state().revision, 4);
  const { quotaPerSecond, limitPerSecond } = second.applicationSettings(7);
  assert.deepEqual([quotaPerSecond, limitPerSecond], [5, 10]);
  assert.equal(second.applicationSettings(8).quotaPerSecond, 5);
  await redis.restart();
});

test('a start while Redis is away, without a cache, answers every caller that it is unavailable', async () => {
  await redis.stop();
  const receiver = await distribution.receive(source());
  for (const call of [
    () => receiver.authenticate(`Bearer ${ONE}`, 'write'),
    () => receiver.find(hashToken(ONE), 'read'),
  ]) {
    assert.throws(call, (error) => error instanceof HttpError && error.code === 'unavailable');
  }
  assert.equal(receiver.state().known, false);
  await redis.restart();
});

test('a damaged cache is ignored, and everything is read again', async () => {
  await distribution.write([tokenEntry(ONE)]);
  distribution.publish([sink()]);
  const first = await distribution.receive(source(), 'cache');
  await until(() => first.state().known, 'the first publication');
  await first.stop();
  const path = distribution.cachePath('cache');
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace('"scope":"write"', '"scope":"admin"'));
  const second = await distribution.receive(source(), 'cache');
  await until(() => second.state().connected, 'everything is read');
  assert.equal(second.find(hashToken(ONE), 'read'), undefined);
  assert.equal(isValid(second, ONE), true);
  await second.stop();
  assert.equal(existsSync(path), true);
  assert.doesNotMatch(readFileSync(path, 'utf8'), /"admin"/);
});

test('an entry that cannot be read is counted and skipped, its neighbours and what was known stay', async () => {
  await distribution.write([tokenEntry(ONE), tokenEntry(TWO)]);
  const publisher = distribution.publish([sink()]);
  const receiver = await distribution.receive(source());
  await until(() => receiver.state().known, 'the first publication');
  await publisher.stop();
  const names = redisNames(settings.prefix);
  const key = `token/${hashToken(ONE)}`;
  await client
    .multi()
    .hSet(names.entries, key, '{"broken')
    .hSet(
      names.entries,
      'application/9',
      JSON.stringify({
        key: 'application/9',
        revision: 4,
        entry: { kind: 'application', sdk_app_id: 9, status: 'suspended', region: 'x' },
      }),
    )
    .zAdd(names.revisions, [
      { score: 3, value: key },
      { score: 4, value: 'application/9' },
    ])
    .set(names.revision, '4')
    .exec();
  await until(() => receiver.applicationSettings(9).known, 'the neighbour');
  assert.equal(receiver.state().malformed, 1);
  assert.equal(isValid(receiver, ONE), true);
});

test('after a restored backup receivers forget what the registry no longer has', async () => {
  await distribution.write([tokenEntry(ONE)]);
  const publisher = distribution.publish([sink()]);
  const receiver = await distribution.receive(source());
  await until(() => receiver.state().known, 'the first publication');
  await distribution.write([tokenEntry(TWO), applicationEntry(7)]);
  publisher.wake();
  await until(() => isValid(receiver, TWO), 'the change');
  await publisher.stop();
  const { kysely } = distribution.database;
  await kysely.deleteFrom('entry').where('revision', '>', 1).execute();
  await kysely.updateTable('counter').set({ value: 1 }).execute();
  await kysely
    .updateTable('distribution_position')
    .set({ revision: 1 })
    .where('sink', '=', 'redis')
    .execute();
  distribution.publish([sink()]);
  await until(() => !isValid(receiver, TWO), 'the older registry');
  assert.equal(isValid(receiver, ONE), true);
  assert.equal(receiver.applicationSettings(7).known, false);
});

test('deleted keys are forgotten after a day, also by a receiver that was away for longer', async () => {
  let nowMs = Date.parse('2030-01-01T00:00:00Z');
  const names = redisNames(settings.prefix);
  await distribution.write([tokenEntry(ONE), tokenEntry(TWO)]);
  const first = distribution.publish([sink()], () => nowMs);
  const away = await distribution.receive(source(), 'cache');
  await until(() => away.state().known, 'the first publication');
  await away.stop();
  await distribution.write([], [`token/${hashToken(ONE)}`]);
  await until(() => first.state()[0]?.lag === 0 && first.state()[0]?.published === 1, 'the deletion');
  await first.stop();
  // The first start after the deletion notes its revision, the next one is a day later.
  nowMs += 3_600_000;
  await distribution.publish([sink()], () => nowMs).stop();
  const noted = distribution.publish([sink()], () => nowMs);
  await until(async () => (await notes()) > 0, 'the note');
  await noted.stop();
  assert.equal(await client.hLen(names.entries), 2);
  nowMs += DELETED_ENTRY_KEPT_MS;
  distribution.publish([sink()], () => nowMs);
  await until(async () => (await client.hLen(names.entries)) === 1, 'the deletion is forgotten');
  const back = await distribution.receive(source(), 'cache');
  assert.equal(isValid(back, ONE), true);
  await until(() => !isValid(back, ONE), 'everything is read again');
  assert.equal(isValid(back, TWO), true);

  async function notes(): Promise<number> {
    const row = await distribution.database.kysely
      .selectFrom('distribution_position')
      .select('detail')
      .where('sink', '=', 'deletions')
      .executeTakeFirst();
    return row === undefined || !row.detail.includes(`${nowMs}`) ? 0 : 1;
  }
});

test('of two registries one publishes, and the other goes on when it stops', async () => {
  await distribution.write([tokenEntry(ONE)]);
  const first = distribution.publish([sink()]);
  await until(() => first.state()[0]?.lag === 0, 'the first publishes');
  const second = distribution.publish([sink()]);
  const receiver = await distribution.receive(source());
  await until(() => receiver.state().known, 'the first publication');
  assert.equal(second.state()[0]?.lag, undefined);
  await first.stop();
  await distribution.write([tokenEntry(TWO)]);
  await until(() => isValid(receiver, TWO), 'the second publishes');
  assert.equal(second.state()[0]?.republished, 0);
});

test('a sink that is away does not hold up the other', async () => {
  const elsewhere = createRedisSink({ ...settings, url: 'redis://127.0.0.1:1' });
  await distribution.write([tokenEntry(ONE)]);
  const publisher = distribution.publish([{ ...elsewhere, name: 'topic' }, sink()]);
  const receiver = await distribution.receive(source());
  await until(() => receiver.state().known && isValid(receiver, ONE), 'the publication');
  const [away] = publisher.state();
  assert.notEqual(away?.failure, undefined);
});
