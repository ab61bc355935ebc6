/*
 * Publishes entries to Redis, as `redisNames` of schemas/src/registry-entry.ts describes. Every step is one transaction
 * of Redis. While everything is published again, the revision is missing: receivers keep what they know until it is there.
 */
import {
  CONNECT_MS_MAX,
  createRedisClient,
  type RedisClient,
  type RedisSettings,
} from '@imscope/access/redis-client.js';
import { withinTime } from '@imscope/access/source-sessions.js';
import { type EntryChange, redisNames } from '@imscope/schemas/registry-entry.js';
import type { EntrySink, SinkPosition } from './entry-sink.js';

const COMMAND_MS_MAX = 10_000;

export function createRedisSink(settings: RedisSettings): EntrySink {
  const names = redisNames(settings.prefix);
  const connection = createConnection(settings);
  return {
    name: 'redis',
    isAt: async ({ generation, revision }) => {
      const client = await connection.open();
      const read = Promise.all([
        client.mGet([names.generation, names.revision]),
        client.hLen(names.entries),
        client.zCard(names.revisions),
      ]);
      const [[foundGeneration, foundRevision], entries, revisions] = await within(read);
      // A Redis that evicts keys may have lost one of the two.
      return foundGeneration === generation && foundRevision === String(revision) && entries === revisions;
    },
    republish: async (pages, generation, revision) => {
      const client = await connection.open();
      const emptied = client
        .multi()
        .del([names.revision, names.generation, names.floor])
        .unlink([names.entries, names.revisions]);
      await within(emptied.exec());
      for await (const changes of pages) await within(withChanges(client, changes).exec());
      const complete = client.multi().set(names.generation, generation).set(names.revision, String(revision));
      await within(complete.publish(names.channel, String(revision)).exec());
      return { generation, revision, forgotten: 0, end: 0 };
    },
    publish: async (changes, position) => {
      const revision = changes.at(-1)?.revision ?? position.revision;
      const client = await connection.open();
      const transaction = withChanges(client, changes).set(names.revision, String(revision));
      await within(transaction.publish(names.channel, String(revision)).exec());
      return { ...position, revision };
    },
    forget: async (keys, revision, position): Promise<SinkPosition> => {
      if (keys.length === 0) return position;
      const client = await connection.open();
      const transaction = client
        .multi()
        .hDel(names.entries, [...keys])
        .zRem(names.revisions, [...keys]);
      await within(transaction.set(names.floor, String(revision)).exec());
      return position;
    },
    close: async () => connection.close(),
  };

  function withChanges(client: RedisClient, changes: readonly EntryChange[]) {
    const transaction = client.multi();
    if (changes.length === 0) return transaction;
    const texts = changes.map((change) => [change.key, JSON.stringify(change)] as const);
    return transaction.hSet(names.entries, new Map(texts)).zAdd(
      names.revisions,
      changes.map(({ key, revision }) => ({ value: key, score: revision })),
    );
  }
}

async function within<T>(work: Promise<T>): Promise<T> {
  return withinTime(work, COMMAND_MS_MAX, 'Redis');
}

/** One client, opened when it is needed. */
function createConnection(settings: RedisSettings): {
  open(): Promise<RedisClient>;
  close(): Promise<void>;
} {
  let current: RedisClient | undefined;
  return {
    open: async () => {
      if (current?.isReady === true) return current;
      current?.destroy();
      const client = createRedisClient(settings, 'imscope-registry');
      // The command that meets the failure rejects; without a listener the process would end.
      client.on('error', () => undefined);
      current = client;
      await withinTime(client.connect(), CONNECT_MS_MAX, 'connecting to Redis');
      return client;
    },
    close: async () => {
      if (current?.isOpen === true) current.destroy();
      current = undefined;
    },
  };
}
