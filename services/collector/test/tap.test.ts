import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, before, test } from 'node:test';
import { hashToken } from '@imscope/access/tokens.js';
import { READ_TOKEN, runCollector, type RunningCollector, WRITE_TOKEN } from './running-collector.js';
import { sampleRecord } from './sample-record.js';

const EAST = 1_400_000_077;
const EAST_READ_TOKEN = 'read-token-for-east-0001';
const FIGURES_TOKEN = 'read-token-for-figures-1';
const directory = mkdtempSync(join(tmpdir(), 'imscope-tap-'));
const registryFile = join(directory, 'registry.json');

let collector: RunningCollector;
const open: IncomingMessage[] = [];

function token(name: string, secret: string, scope: string, applications: unknown): object {
  return { name, sha256: hashToken(secret), scope, applications };
}

before(async () => {
  const tokens = [
    token('gateways', WRITE_TOKEN, 'write', 'all'),
    token('sre', READ_TOKEN, 'requests', 'all'),
    token('east', EAST_READ_TOKEN, 'requests', [EAST]),
    token('figures', FIGURES_TOKEN, 'read', 'all'),
  ];
  writeFileSync(registryFile, JSON.stringify({ tokens }));
  collector = await runCollector({ environment: { REGISTRY_FILE: registryFile } });
});

afterEach(async () => {
  for (const response of open.splice(0)) response.destroy();
  while ((await collector.metric('taps')) > 0) await new Promise((resolve) => setImmediate(resolve));
});

after(async () => {
  await collector.remove();
  rmSync(directory, { recursive: true });
});

type Line = { readonly type: string } & Readonly<Record<string, unknown>>;
type Tap = { readonly response: IncomingMessage; next(): Promise<Line | undefined> };

function get(query: string, secret = READ_TOKEN): Promise<IncomingMessage> {
  const url = collector.url.replace('/v1/request-logs', `/v1/tap${query}`);
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { headers: { authorization: `Bearer ${secret}` }, agent: false }, resolve);
    sent.on('error', reject).end();
  });
}

/** An open tap, behind its first line. */
async function tap(query = '', secret?: string): Promise<Tap> {
  const response = await get(query, secret);
  open.push(response);
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers['content-type'], 'application/x-ndjson');
  const lines = createInterface(response)[Symbol.asyncIterator]();
  const next = async (): Promise<Line | undefined> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) return undefined;
      const line = JSON.parse(value) as Line;
      if (line.type !== 'alive') return line;
    }
  };
  assert.equal((await next())?.type, 'open');
  return { response, next };
}

async function errorOf(response: IncomingMessage): Promise<string> {
  const body = Buffer.concat(await response.toArray()).toString();
  return `${response.statusCode} ${(JSON.parse(body) as { error: { code: string } }).error.code}`;
}

async function send(...records: readonly Record<string, unknown>[]): Promise<void> {
  const body = JSON.stringify(records.map((record) => sampleRecord({ time: Date.now(), ...record })));
  assert.equal((await collector.post(body)).status, 202);
}

test('a tap shows accepted records as they will be stored, with masked address and scrubbed texts', async () => {
  const { next } = await tap();
  const time = Date.now();
  await send(
    { time, cause: 'user u_7alice from 203.0.113.7 failed', identifier: 'admin' },
    { exit_ip: '2001:db8:7::1' },
  );
  const { type, ...record } = (await next()) ?? { type: 'nothing' };
  assert.equal(type, 'record');
  assert.deepEqual(record, {
    time: new Date(time).toISOString(),
    sender: 'gateways',
    sdk_app_id: 1_400_000_001,
    interface: 'openim/sendmsg',
    exit_ip: '203.0.113.0/24',
    latency_ms: 12.346,
    upstream_ms: 10,
    rtt_ms: 0.5,
    code: 0,
    http_status: 200,
    outcome: 'success',
    exception: 'Timeout',
    cause: 'user <account> from <ip> failed',
    node: 'gw-1',
    region: 'ap-guangzhou',
    platform: 'android',
    sdk_version: '7.9.5666',
    request_id: 'req-1',
    weight: 1,
  });
  assert.equal((await next())?.['exit_ip'], '2001:db8:7::/48');
});

test('refused records are shown with their reason, and values quoted in the detail are scrubbed', async () => {
  const { next } = await tap('?outcome=rejected');
  await send({}, { latency_ms: -1 }, { exit_ip: '203.0.113.7 alice@example.com' });
  const [first, second] = [await next(), await next()];
  assert.deepEqual(
    [first?.type, first?.['reason'], first?.['sdk_app_id']],
    ['rejected', 'out_of_range', 1_400_000_001],
  );
  assert.equal(second?.['reason'], 'invalid_ip');
  assert.doesNotMatch(String(second?.['detail']), /203\.0|alice/);
});

test('filters by application, interface and outcome leave out everything else', async () => {
  const taps = await Promise.all([
    tap(`?application=${EAST}`),
    tap('?interface=group/&outcome=service_error,unknown'),
  ]);
  await send(
    { request_id: 'a' },
    { request_id: 'b', sdk_app_id: EAST },
    { request_id: 'c', interface: 'group/create', code: 91_000 },
    { request_id: 'd', interface: 'group/create', code: 0 },
    { request_id: 'e', sdk_app_id: EAST, latency_ms: -1 },
    { request_id: 'f', interface: 'group/create', code: null },
  );
  const [application, group] = taps;
  assert.equal((await application.next())?.['request_id'], 'b');
  assert.equal((await application.next())?.['reason'], 'out_of_range');
  assert.equal((await group.next())?.['request_id'], 'c');
  assert.equal((await group.next())?.['request_id'], 'f');
});

test('a token sees only its own applications, refused records included', async () => {
  const { next } = await tap('', EAST_READ_TOKEN);
  await send(
    { request_id: 'a' },
    { latency_ms: -1 },
    { sdk_app_id: 'x' },
    { request_id: 'b', sdk_app_id: EAST },
  );
  assert.equal((await next())?.['request_id'], 'b');
  assert.equal(await errorOf(await get('?application=1', EAST_READ_TOKEN)), '403 not_allowed');
  assert.equal(await errorOf(await get('', FIGURES_TOKEN)), '403 not_allowed');
});

test('wrong tokens and parameters are refused, and so is a fifth tap', async () => {
  assert.equal(await errorOf(await get('', WRITE_TOKEN)), '403 not_allowed');
  assert.equal(await errorOf(await get('', 'unknown-token-0000001')), '401 invalid_token');
  assert.equal(await errorOf(await get('?applicaton=1')), '400 unknown_parameter');
  assert.equal(await errorOf(await get('?__proto__=1')), '400 unknown_parameter');
  for (const query of ['?application=0', '?application=1&application=2', '?outcome=fine', '?outcome=']) {
    assert.equal(await errorOf(await get(query)), '400 invalid_parameter', query);
  }
  for (let each = 0; each < 4; each++) await tap();
  const fifth = await get('');
  assert.equal(fifth.headers['retry-after'], '10');
  assert.equal(await errorOf(fifth), '429 too_many_requests');
});

test('beyond its rate a tap drops records, reports how many, and shows later ones', async () => {
  const { next } = await tap();
  await send(...Array.from({ length: 2_000 }, () => ({ cause: '', exception: '' })));
  let records = 0;
  for (;;) {
    const line = await next();
    if (line?.type === 'record') records += 1;
    else {
      assert.equal(line?.type, 'dropped');
      assert.deepEqual([line['rate'], line['reader']], [2_000 - records, 0]);
      break;
    }
  }
  assert(records >= 500 && records < 1_000, String(records));
  assert.equal(await collector.metric('tap_dropped_total'), 2_000 - records);
});

test('lines beyond a bounded unread buffer are dropped, and requests are accepted meanwhile', async () => {
  const { response } = await tap();
  response.pause();
  // Three bytes a character: its 500 lines at once are three times the buffer.
  const cause = '上游超时'.repeat(500);
  await send(...Array.from({ length: 500 }, () => ({ cause })));
  assert((await collector.metric('tap_dropped_total', 'reader')) > 0);
  await send({});
});

test('a tap ends with its token and with the collector, and its last line states the reason', async () => {
  const ended = await tap('', EAST_READ_TOKEN);
  const tokens = [
    token('gateways', WRITE_TOKEN, 'write', 'all'),
    token('sre', READ_TOKEN, 'requests', 'all'),
  ];
  const stays = await tap();
  writeFileSync(registryFile, JSON.stringify({ tokens }));
  assert.deepEqual(await ended.next(), { type: 'end', reason: 'token' });
  assert.equal(await ended.next(), undefined);
  const stopped = collector.stop();
  assert.deepEqual(await stays.next(), { type: 'end', reason: 'stopping' });
  await stopped;
});
