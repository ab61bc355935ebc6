/*
 * Two releases side by side: version 2 of the request log is introduced while version 1 is in use, in the order of
 * schemas/README.md and in both wrong orders. In every order each record is stored once.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import type { RunningService } from '../stack/services.js';
import { type ListeningService, type Release as Build, Stack } from '../stack/stack.js';
import type { RunningStore } from '../stack/store.js';
import { testBroker } from '../stack/test-broker.js';
import { makeNextRelease, NEW_FIELD, NEW_VALUE } from '../pipeline/next-release.js';

type Release = 'this' | 'next';

const shared = new Stack({ name: 'upgrade', mode: 'built' });
const builds: Readonly<Record<Release, Build>> = {
  this: { mode: 'built' },
  next: { mode: 'source', root: makeNextRelease(shared.directory) },
};
let store: RunningStore;

before(async () => {
  store = await shared.startStore();
});
after(() => shared.end());

/** A separate database and topics, with services of either release. */
class Deployment {
  readonly client: ClickHouseClient;
  readonly token: string;
  readonly #stack: Stack;

  constructor() {
    const name = `upgrade_${randomBytes(4).toString('hex')}`;
    this.#stack = new Stack({
      name,
      mode: 'built',
      broker: testBroker(),
      topicPrefix: `${name}.`,
      store: { ...store, database: name },
    });
    this.token = this.#stack.credentials.writeToken;
    this.client = createClient({
      url: store.url,
      username: store.user,
      password: store.password,
      database: name,
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
    });
  }

  prepare(release: Release): Promise<void> {
    return this.#stack.prepare({ TOPIC_PARTITIONS: '1' }, builds[release]);
  }

  async aggregator(release: Release): Promise<RunningService> {
    // So that old and new records are in one block.
    const env = { MARKER_AGE_MS: '2000' };
    return this.#stack.startAggregator({ name: `aggregator ${release}`, env, release: builds[release] });
  }

  async collector(release: Release): Promise<ListeningService> {
    const env = { COLLECTOR_NAME: release, LINGER_MS_MAX: '0' };
    return this.#stack.startCollector({ name: `collector ${release}`, env, release: builds[release] });
  }

  async rows<T>(sql: string): Promise<T[]> {
    return (await this.client.query({ query: sql, format: 'JSONEachRow' })).json<T>();
  }

  /** Waits until this many rows are stored and in the ledger, each once. */
  async untilStored(rows: number): Promise<void> {
    const expected = { stored: rows, requests: rows, recorded: rows };
    let found: unknown;
    for (const deadlineMs = Date.now() + 60_000; Date.now() < deadlineMs; await delay(100)) {
      [found] = await this.rows(
        `SELECT count() AS stored, uniqExact(request_id) AS requests,
          (SELECT sum(rows) FROM block_ledger FINAL WHERE topic LIKE '%request-log') AS recorded FROM request_log`,
      );
      if (JSON.stringify(found) === JSON.stringify(expected)) return;
    }
    throw new Error(`${JSON.stringify(expected)} expected, found ${JSON.stringify(found)}`);
  }

  /** Number of rows by value of the new field. */
  async zones(): Promise<Record<string, number>> {
    const rows = await this.rows<{ zone: string; rows: number }>(
      `SELECT ${NEW_FIELD} AS zone, count() AS rows FROM request_log GROUP BY zone`,
    );
    return Object.fromEntries(rows.map(({ zone, rows: count }) => [zone, count]));
  }

  async end(): Promise<void> {
    await this.client.close();
    await this.#stack.end();
  }
}

let requests = 0;

async function send({ url }: ListeningService, token: string, records: number): Promise<void> {
  const body = Array.from({ length: records }, () => ({
    time: Date.now(),
    sdk_app_id: 1_400_000_001,
    interface: 'openim/sendmsg',
    exit_ip: '203.0.113.7',
    latency_ms: 12.5,
    code: 0,
    request_id: `request-${requests++}`,
  }));
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const { status } = await fetch(`${url}/v1/request-logs`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  assert.equal(status, 202);
}

/** Waits until `/ready` answers 503. @returns its body */
async function untilNotReady({ adminPort }: RunningService): Promise<string> {
  for (const deadlineMs = Date.now() + 60_000; Date.now() < deadlineMs; await delay(100)) {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/ready`);
    if (answer.status === 503) return answer.text();
  }
  throw new Error('the service stays ready');
}

async function withDeployment(run: (deployment: Deployment) => Promise<void>): Promise<void> {
  const deployment = new Deployment();
  try {
    await run(deployment);
  } finally {
    await deployment.end();
  }
}

test('upgrade of store, then aggregators, then collectors: one block holds records of old and new collectors, each once', async () => {
  await withDeployment(async (deployment) => {
    await deployment.prepare('this');
    const oldAggregator = await deployment.aggregator('this');
    const old = await deployment.collector('this');
    await send(old, deployment.token, 10);
    await deployment.untilStored(10);

    await deployment.prepare('next');
    await send(old, deployment.token, 10);
    await deployment.untilStored(20);
    await oldAggregator.stop();
    await deployment.aggregator('next');
    const next = await deployment.collector('next');
    for (let round = 0; round < 10; round++) {
      await send(old, deployment.token, 10);
      await send(next, deployment.token, 10);
    }
    await deployment.untilStored(220);
    assert.deepEqual(await deployment.zones(), { '': 120, [NEW_VALUE]: 100 });
    const [mixed] = await deployment.rows<{ blocks: number }>(
      'SELECT countIf(length(block_ids) = 2) AS blocks FROM block_ledger FINAL',
    );
    assert.ok((mixed?.blocks ?? 0) > 0, 'some block holds both versions');
  });
});

test('collectors before aggregators: the partition waits, names the reason, and continues after the upgrade', async () => {
  await withDeployment(async (deployment) => {
    await deployment.prepare('this');
    const oldAggregator = await deployment.aggregator('this');
    const [old, next] = [await deployment.collector('this'), await deployment.collector('next')];
    await send(old, deployment.token, 10);
    await deployment.untilStored(10);
    await send(next, deployment.token, 10);
    await send(old, deployment.token, 10);
    assert.match(await untilNotReady(oldAggregator), /im\.request-log.*schema|schema.*im\.request-log/);
    await deployment.untilStored(10);

    await deployment.prepare('next');
    await oldAggregator.stop();
    await deployment.aggregator('next');
    await deployment.untilStored(30);
    assert.deepEqual(await deployment.zones(), { '': 20, [NEW_VALUE]: 10 });
  });
});

test('aggregators before the store: they wait, name the reason, and continue once it is prepared', async () => {
  await withDeployment(async (deployment) => {
    await deployment.prepare('this');
    const aggregator = await deployment.aggregator('next');
    const [old, next] = [await deployment.collector('this'), await deployment.collector('next')];
    await send(old, deployment.token, 10);
    await send(next, deployment.token, 10);
    assert.match(await untilNotReady(aggregator), /store/);
    await deployment.prepare('next');
    await deployment.untilStored(20);
    assert.deepEqual(await deployment.zones(), { '': 10, [NEW_VALUE]: 10 });
  });
});
