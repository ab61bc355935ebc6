import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hashToken } from '@imscope/access/tokens.js';
import { freePort } from '../../../scripts/stack/ports.js';
import { readMetric } from '../../../scripts/stack/read-metric.js';
import { type RunningService, startService } from '../../../scripts/stack/services.js';
import { openStore, type StoreUnderTest, writeRegistryFile } from './query-under-test.js';

const MIB = 1 << 20;
const BUDGET_BYTES = 256 * MIB;
/** Beside the process as it is when it has started: garbage that was not collected yet. Stated in the README. */
const GARBAGE_BYTES = 256 * MIB;
const UNREAD = 36;
const READERS = ['idle-1-idle-1-idle-1', 'idle-2-idle-2-idle-2', 'reader-reader-reader'];
const GREEDY = 'greedy-greedy-greedy';
const DASHBOARD_TOKENS = 8;
const dashboardToken = (caller: number): string => `dashboard-${caller}-dashboard`;
const TOKENS = [
  ...READERS,
  GREEDY,
  ...Array.from({ length: DASHBOARD_TOKENS }, (_, caller) => dashboardToken(caller)),
];
const DEADLINE_MS = 240_000;

let store: StoreUnderTest;
let service: RunningService;
let port: number;
let startedBytes: number;

/** A row of one of 1,000 applications in the last hour; every tenth is of 101, many with the longest cause. */
const ROWS_SQL = `INSERT INTO request_log (time, sdk_app_id, interface, exit_ip, latency_us, code, http_status, outcome,
  exception, cause, node, region, request_id, block_id, block_row)
SELECT now64(3) - toIntervalMillisecond(rand(1) % 3600000), if(number % 10 = 0, 101, 1 + rand(2) % 1000),
  concat('interface/', toString(rand(3) % 1500)), '::1', toUInt64(exp((rand(4) % 1000000) / 40000)),
  rand(5) % 100000, 200, 'service_error', concat('exception', toString(rand(6) % 500)),
  if(number % 50 = 0, repeat('界', 2048), ''), 'n', 'r', toString(number), 1, number
FROM numbers(200000) SETTINGS max_insert_block_size = 20000, max_block_size = 20000`;

const INSERT_ROWS = 1_000;
const INSERT_SQL = `INSERT INTO request_log (time, sdk_app_id, interface, exit_ip, latency_us, code, http_status, outcome,
  node, region, request_id, block_id, block_row)
SELECT now64(3), 1 + number, 'interface/1', '::1', number, 0, 200, 'success', 'inserted', 'r', '', {batch:UInt64}, number
FROM numbers(${INSERT_ROWS})`;

before(async () => {
  store = await openStore();
  await store.client.command({ query: ROWS_SQL });
  const registryFile = join(store.dir, 'readers.json');
  writeRegistryFile(
    registryFile,
    TOKENS.map((token, at) => ({
      name: `reader ${at}`,
      sha256: hashToken(token),
      scope: 'requests',
      applications: 'all',
    })),
  );
  port = await freePort();
  service = await startService({
    name: 'query',
    mode: 'source',
    logFile: join(store.dir, 'query.log'),
    env: {
      ...store.environment,
      REGISTRY_FILE: registryFile,
      QUERY_PORT: String(port),
      ANSWER_MEMORY_BYTES_MAX: String(BUDGET_BYTES),
      ANSWER_SEND_MS_MAX: '3000',
      STORE_QUEUE_WAIT_MS_MAX: '60000',
      QUERY_TIMEOUT_MS: '60000',
    },
  });
  startedBytes = bytesOf('VmRSS');
});
after(async () => {
  await service.stop();
  await store.close();
});

/** The widest questions: most points, most rows, longest texts. */
const WIDEST = [
  'applications?step=30s&from=now-59m',
  'applications/101/timeseries?step=3s',
  'applications/101/requests?limit=1000&from=now-2h',
  'applications/101/interfaces?from=now-7d',
  'applications/101/exceptions?from=now-7d&to=9999-01-01T00:00:00Z',
  'applications/101/monitor?from=now-24h&step=1m',
];

function bytesOf(field: 'VmHWM' | 'VmRSS'): number {
  const status = readFileSync(`/proc/${service.pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
}

/** Waits until no answer holds or waits for memory, and asserts that never more than the budget was reserved. */
async function untilReleased(): Promise<void> {
  const deadlineMs = Date.now() + DEADLINE_MS;
  for (;;) {
    const reserved = await readMetric(service.adminPort, 'imscope_query_answer_reserved_bytes');
    assert.ok(reserved <= BUDGET_BYTES, `${reserved} bytes are reserved`);
    if (reserved === 0 && (await readMetric(service.adminPort, 'imscope_query_answers_waiting')) === 0)
      return;
    assert.ok(Date.now() < deadlineMs, `${reserved} bytes are still reserved`);
    await sleep(100);
  }
}

async function askWithoutReading(path: string, token: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(`GET /v1/${path} HTTP/1.1\r\nHost: query\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  return socket;
}

test('a burst of the widest questions whose answers are not read stays within the stated memory', async () => {
  const sockets = await Promise.all(
    Array.from({ length: UNREAD }, (_, at) =>
      askWithoutReading(WIDEST[at % WIDEST.length] ?? '', READERS[at % 2] ?? ''),
    ),
  );
  // Another caller asks and reads meanwhile: it has its own queue.
  const statuses: number[] = [];
  for (const path of WIDEST) {
    const response = await fetch(`http://127.0.0.1:${port}/v1/${path}`, {
      headers: { authorization: `Bearer ${READERS[2]}` },
    });
    const body = await response.text();
    statuses.push(response.status);
    assert.ok([200, 503, 504].includes(response.status), `${path}: ${response.status} ${body.slice(0, 300)}`);
    if (response.status !== 200) assert.ok(response.headers.has('retry-after'), path);
  }
  assert.ok(statuses.includes(200), statuses.join(', '));
  await untilReleased();
  for (const socket of sockets) socket.destroy();
  const peakBytes = bytesOf('VmHWM');
  assert.ok(
    peakBytes <= startedBytes + BUDGET_BYTES + GARBAGE_BYTES,
    `from ${startedBytes} to ${peakBytes} bytes; answers ${statuses.join(', ')}`,
  );
});

const DASHBOARDS = 200;
const GREEDY_AT_ONCE = 60;

type Tally = { answered: number; refused: number };

/** Asks and reads until there is an answer, as the dashboard does. Counts answers and refusals; all else fails the test. */
async function ask(path: string, token: string, tally: Tally, signal?: AbortSignal): Promise<void> {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/v1/${path}`, {
      headers: { authorization: `Bearer ${token}` },
      ...(signal === undefined ? {} : { signal }),
    });
    const body = await response.text();
    assert.ok([200, 503, 504].includes(response.status), `${path}: ${response.status} ${body.slice(0, 300)}`);
    if (response.status === 200) {
      tally.answered += 1;
      return;
    }
    tally.refused += 1;
    assert.ok(response.headers.has('retry-after'), path);
  }
}

/** Repeats until stopped. Rejections after the stop are its own. */
async function repeat(work: () => Promise<unknown>, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    try {
      await work();
    } catch (error) {
      if (!stop.aborted) throw error;
    }
  }
}

test('200 dashboards are answered beside a greedy caller, one that never reads, and inserts', async () => {
  const stop = new AbortController();
  const greedy: Tally = { answered: 0, refused: 0 };
  const greedyWork = Array.from({ length: GREEDY_AT_ONCE }, (_, at) => {
    const path = at % 4 === 0 ? (WIDEST[at % WIDEST.length] ?? '') : 'applications/101/overview?from=now-7d';
    return repeat(() => ask(path, GREEDY, greedy, stop.signal), stop.signal);
  });
  let inserted = 0;
  const inserts = repeat(async () => {
    await store.client.command({ query: INSERT_SQL, query_params: { batch: inserted } });
    inserted += 1;
  }, stop.signal);
  const unread = await Promise.all(
    Array.from({ length: UNREAD / 3 }, (_, at) =>
      askWithoutReading(WIDEST[at % WIDEST.length] ?? '', READERS[0] ?? ''),
    ),
  );
  const tallies = Array.from({ length: DASHBOARD_TOKENS }, (): Tally => ({ answered: 0, refused: 0 }));
  await Promise.all(
    Array.from({ length: DASHBOARDS }, (_, at) => {
      const caller = at % DASHBOARD_TOKENS;
      return ask(`applications/${1 + at}/timeseries`, dashboardToken(caller), tallies[caller] ?? greedy);
    }),
  );
  const greedyAnswered = greedy.answered;
  stop.abort();
  await Promise.all([...greedyWork, inserts]);
  for (const socket of unread) socket.destroy();
  const each = DASHBOARDS / DASHBOARD_TOKENS;
  for (const { answered } of tallies) assert.equal(answered, each);
  // One queue for all would give the greedy caller more than all dashboards together: eight times as much as one.
  const figures = JSON.stringify({ greedyAnswered, greedy, tallies });
  assert.ok(greedyAnswered <= 3 * each, figures);
  // A caller's refusals are its own: those of the greedy one are no reason to refuse the others.
  for (const { refused } of tallies) assert.ok(refused <= Math.max(greedy.refused, each), figures);
  assert.ok(inserted > 0);
  const stored = await store.client.query({
    query: `SELECT count() AS rows FROM request_log WHERE node = 'inserted'`,
    format: 'JSON',
  });
  assert.deepEqual((await stored.json()).data, [{ rows: inserted * INSERT_ROWS }]);
  await untilReleased();
  const peakBytes = bytesOf('VmHWM');
  assert.ok(
    peakBytes <= startedBytes + BUDGET_BYTES + GARBAGE_BYTES,
    `from ${startedBytes} to ${peakBytes} bytes`,
  );
});
