import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { sql } from 'kysely';
import { freePort } from '../../../scripts/stack/ports.js';
import { INTEGER, text } from '../src/columns.js';
import { type Database, openDatabase } from '../src/database.js';
import { CommitOutcomeUnknown, DatabaseUnavailable, isConflict } from '../src/database-error.js';
import { transact } from '../src/transact.js';
import { DIALECTS, emptyDatabase, type TestDatabase } from './both-databases.js';

type Tables = { account: { name: string; amount: number } };

async function withAccounts(dialect: (typeof DIALECTS)[number]): Promise<TestDatabase> {
  const base = await emptyDatabase(dialect);
  const { kysely } = base.open<Tables>();
  await kysely.schema
    .createTable('account')
    .addColumn('name', text(8), (column) => column.primaryKey())
    .addColumn('amount', INTEGER)
    .execute();
  await kysely
    .insertInto('account')
    .values([
      { name: 'a', amount: 0 },
      { name: 'b', amount: 0 },
    ])
    .execute();
  return base;
}

async function amounts({ kysely }: Database<Tables>): Promise<number[]> {
  const rows = await kysely.selectFrom('account').select('amount').orderBy('name').execute();
  return rows.map(({ amount }) => amount);
}

for (const dialect of DIALECTS) {
  test(`${dialect}: what throws leaves nothing written`, async () => {
    const database = (await withAccounts(dialect)).open<Tables>();
    await assert.rejects(
      transact(database, async (transaction) => {
        await transaction.updateTable('account').set({ amount: 9 }).execute();
        throw new Error('not this time');
      }),
      /not this time/,
    );
    assert.deepEqual(await amounts(database), [0, 0]);
  });

  test(`${dialect}: writers at once add up, whatever order they lock in`, async () => {
    const base = await withAccounts(dialect);
    const handles = [base.open<Tables>(), base.open<Tables>()];
    const add = async (database: Database<Tables>, names: readonly string[]): Promise<void> => {
      await transact(
        database,
        async (transaction) => {
          for (const name of names) {
            const { amount } = await transaction
              .selectFrom('account')
              .select('amount')
              .where('name', '=', name)
              .forUpdate()
              .executeTakeFirstOrThrow();
            await transaction
              .updateTable('account')
              .set({ amount: amount + 1 })
              .where('name', '=', name)
              .execute();
          }
        },
        { attemptsMax: 100, withinMs: 60_000 },
      );
    };
    const orders = [
      ['a', 'b'],
      ['b', 'a'],
    ];
    await Promise.all(
      Array.from({ length: 20 }, async (_, at) => {
        const database = handles[at % 2];
        const order = orders[Math.floor(at / 2) % 2];
        assert.ok(database !== undefined && order !== undefined);
        await add(database, order);
      }),
    );
    const [database] = handles;
    assert.ok(database !== undefined);
    assert.deepEqual(await amounts(database), [20, 20]);
  });
}

test('sqlite: a second writer waits for the first one instead of failing at its first write', async () => {
  const base = await withAccounts('sqlite');
  const [first, second] = [base.open<Tables>(), base.open<Tables>({ busyTimeoutMs: 1 })];
  let tries = 0;
  let late: Promise<unknown> = Promise.resolve();
  await transact(first, async (transaction) => {
    await transaction.updateTable('account').set({ amount: 1 }).execute();
    const error: unknown = await transact(second, async () => {}, { attemptsMax: 1 }).catch(
      (reason: unknown) => reason,
    );
    assert.ok(isConflict(error));
    late = transact(
      second,
      async (other) => {
        tries++;
        await other
          .updateTable('account')
          .set({ amount: sql`amount + 1` })
          .execute();
      },
      { attemptsMax: 100, withinMs: 60_000 },
    );
  });
  await late;
  assert.equal(tries, 1);
  assert.deepEqual(await amounts(first), [2, 2]);
});

/** Passes bytes on to the server until a client's packet holds `word`: its answer is lost. 3 begins a statement. */
async function cutAt(t: TestContext, url: string, word: string): Promise<{ url: string; cuts(): number }> {
  const target = new URL(url);
  const [port, host] = [Number(target.port), target.hostname];
  let cuts = 0;
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(port, host);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    client.on('data', (data) => {
      if (cuts === 0 && data.includes(word)) {
        cuts++;
        // The server gets it, and its answer is lost.
        server.write(data, () => client.destroy());
      } else server.write(data);
    });
    server.on('data', (data) => client.write(data));
    client.on('close', () => server.end());
    server.on('close', () => client.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const address = proxy.address();
  assert.ok(typeof address === 'object' && address !== null);
  target.port = String(address.port);
  return { url: target.href, cuts: () => cuts };
}

test('sqlite: a write outside of a transaction that found the database busy harms no later one', async () => {
  const base = await withAccounts('sqlite');
  const [first, second] = [base.open<Tables>(), base.open<Tables>({ busyTimeoutMs: 1 })];
  const addOne = async ({ kysely }: Pick<Database<Tables>, 'kysely'>): Promise<unknown> =>
    kysely
      .updateTable('account')
      .set({ amount: sql`amount + 1` })
      .execute();
  await transact(first, async () => {
    await assert.rejects(addOne(second), isConflict);
  });
  await transact(second, async (kysely) => addOne({ kysely }));
  assert.deepEqual(await amounts(first), [1, 1]);
});

test('mysql: a server that is away is tried for a bounded time', async (t) => {
  const { password } = (await emptyDatabase('mysql')).options;
  const url = `mysql://imscope@127.0.0.1:${await freePort()}/away`;
  const database = openDatabase<Tables>({ url, ...(password === undefined ? {} : { password }) });
  t.after(async () => database.close());
  const options = { attemptsMax: 1_000, withinMs: 300 };
  const startedAt = performance.now();
  await assert.rejects(
    transact(database, async () => {}, options),
    DatabaseUnavailable,
  );
  assert.ok(performance.now() - startedAt < 30_000);
});

test('mysql: a transaction whose connection broke before the commit is done again, once in effect', async (t) => {
  const base = await withAccounts('mysql');
  const { url, cuts } = await cutAt(t, base.options.url, 'update');
  const database = openDatabase<Tables>({ ...base.options, url });
  t.after(async () => database.close());
  await transact(database, async (transaction) => {
    await transaction
      .updateTable('account')
      .set({ amount: sql`amount + 1` })
      .execute();
  });
  assert.equal(cuts(), 1);
  assert.deepEqual(await amounts(base.open<Tables>()), [1, 1]);
});

test('mysql: a commit without an answer is said to be unknown, and not done again', async (t) => {
  const base = await withAccounts('mysql');
  const { url, cuts } = await cutAt(t, base.options.url, '\u0003commit');
  const database = openDatabase<Tables>({ ...base.options, url });
  t.after(async () => database.close());
  let runs = 0;
  await assert.rejects(
    transact(database, async (transaction) => {
      runs++;
      await transaction
        .updateTable('account')
        .set({ amount: sql`amount + 1` })
        .execute();
    }),
    CommitOutcomeUnknown,
  );
  assert.deepEqual([runs, cuts()], [1, 1]);
});
