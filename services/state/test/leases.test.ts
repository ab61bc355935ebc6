import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Database } from '../src/database.js';
import { workWithLease } from '../src/leased-work.js';
import {
  acquireLease,
  assertLease,
  LEASE_MIGRATIONS,
  LEASE_SERVICE,
  LeaseLost,
  type LeaseTables,
  releaseLease,
  renewLease,
} from '../src/leases.js';
import { migrate } from '../src/migrate.js';
import { transact } from '../src/transact.js';
import { DIALECTS, emptyDatabase, type TestDatabase } from './both-databases.js';

const TERM_MS = 1_000;
const START_MS = 1_790_000_000_000;

async function withLeases(dialect: (typeof DIALECTS)[number]): Promise<TestDatabase> {
  const base = await emptyDatabase(dialect);
  await migrate(base.open<LeaseTables>(), LEASE_SERVICE, LEASE_MIGRATIONS);
  return base;
}

async function acquire(database: Database<LeaseTables>, holder: string, nowMs: number) {
  return acquireLease(database, { name: 'sweep', holder, termMs: TERM_MS, nowMs });
}

for (const dialect of DIALECTS) {
  test(`${dialect}: of many that ask at once one gets the lease`, async () => {
    const base = await withLeases(dialect);
    const handles = [base.open<LeaseTables>(), base.open<LeaseTables>()];
    const leases = await Promise.all(
      handles.flatMap((database, at) =>
        Array.from({ length: 5 }, async (_, process) => acquire(database, `${at}-${process}`, START_MS)),
      ),
    );
    const got = leases.filter((lease) => lease !== undefined);
    assert.equal(got.length, 1);
    assert.equal(got[0]?.fencing, 1);
  });

  test(`${dialect}: a lease is taken over after its term, with a greater number`, async () => {
    const database = (await withLeases(dialect)).open<LeaseTables>();
    await acquire(database, 'a', START_MS);
    assert.equal(await acquire(database, 'b', START_MS + TERM_MS - 1), undefined);
    const lease = await acquire(database, 'b', START_MS + TERM_MS);
    assert.deepEqual(lease, { name: 'sweep', holder: 'b', fencing: 2, expiresMs: START_MS + 2 * TERM_MS });
  });

  test(`${dialect}: a renewed lease is kept, one that was taken over is not renewed`, async () => {
    const database = (await withLeases(dialect)).open<LeaseTables>();
    const lease = await acquire(database, 'a', START_MS);
    assert.ok(lease !== undefined);
    assert.ok(await renewLease(database, lease, { termMs: TERM_MS, nowMs: START_MS + 900 }));
    assert.equal(await acquire(database, 'b', START_MS + 1_500), undefined);
    assert.ok(await acquire(database, 'b', START_MS + 2_000));
    assert.equal(await renewLease(database, lease, { termMs: TERM_MS, nowMs: START_MS + 2_001 }), undefined);
  });

  test(`${dialect}: a released lease is free at once`, async () => {
    const database = (await withLeases(dialect)).open<LeaseTables>();
    const lease = await acquire(database, 'a', START_MS);
    assert.ok(lease !== undefined);
    await releaseLease(database, lease);
    assert.equal((await acquire(database, 'b', START_MS + 1))?.fencing, 2);
  });

  test(`${dialect}: a write of a holder that was replaced is refused`, async () => {
    const database = (await withLeases(dialect)).open<LeaseTables>();
    const first = await acquire(database, 'a', START_MS);
    assert.ok(first !== undefined);
    await transact(database, async (transaction) => assertLease(transaction, first));
    await acquire(database, 'b', START_MS + TERM_MS);
    await assert.rejects(
      transact(database, async (transaction) => assertLease(transaction, first)),
      LeaseLost,
    );
  });

  test(`${dialect}: a work goes to another process when its holder ends, and never runs twice at once`, async () => {
    const base = await withLeases(dialect);
    const stops = [new AbortController(), new AbortController()];
    const started: string[] = [];
    let running = 0;
    const events = new EventTarget();
    const processes = stops.map(async (stop, at) =>
      workWithLease(base.open<LeaseTables>(), {
        name: 'sweep',
        holder: String(at),
        termMs: 150,
        now: Date.now,
        stopping: stop.signal,
        onError: (error) => assert.fail(String(error)),
        work: async (lease, signal) => {
          assert.equal(++running, 1);
          started.push(lease.holder);
          events.dispatchEvent(new Event('started'));
          if (!signal.aborted) await once(signal, 'abort');
          running--;
        },
      }),
    );
    if (started.length === 0) await once(events, 'started');
    const next = once(events, 'started');
    stops[Number(started[0])]?.abort();
    await next;
    assert.deepEqual(started.toSorted(), ['0', '1']);
    for (const stop of stops) stop.abort();
    await Promise.all(processes);
  });
}
