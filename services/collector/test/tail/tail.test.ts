import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { runCollector, type RunningCollector } from '../running-collector.js';
import { idsOf, logLine, recordsOf, TAIL_ENVIRONMENT, until } from './tail-lines.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-tail-'));
after(() => rmSync(directory, { recursive: true }));
let logs = 0;
const newPath = (): string => join(directory, `access-${(logs += 1)}.log`);

const lines = (...ids: string[]): string => ids.map((id) => `${logLine({ id })}\n`).join('');

async function taken(collector: RunningCollector, count: number): Promise<void> {
  await until(`${count} lines are taken`, async () => (await collector.metric('tail_lines_total')) >= count);
  await until('they are durable', async () => {
    const refused = await collector.metric('records_rejected_total');
    return (await collector.metric('records_accepted_total')) + refused >= count;
  });
}

/** A collector that is taken away at the end of the test, however that comes. */
async function running(t: TestContext, environment: Record<string, string>): Promise<RunningCollector> {
  const collector = await runCollector({ environment });
  t.after(() => collector.remove());
  return collector;
}

async function tailing(
  t: TestContext,
  path: string,
  environment: Record<string, string> = {},
): Promise<RunningCollector> {
  return running(t, { ...TAIL_ENVIRONMENT, TAIL_FILES: path, ...environment });
}

test('lines become records, with the outcome by the code or, without one, by the HTTP status', async (t) => {
  const path = newPath();
  const timeMs = Date.now() - 5_000;
  const parts = [
    { id: 'ok' },
    { id: 'caller', code: '70001' },
    { id: 'service', code: '91000' },
    { id: 'nothing', code: '-' },
    { id: 'bad-gateway', code: '-', status: 502 },
    { id: 'late-gateway', code: '-', status: 504 },
    { id: 'hung-up', code: '-', status: 499 },
  ];
  writeFileSync(path, parts.map((each) => `${logLine({ ...each, timeMs })}\n`).join(''));
  const collector = await tailing(t, path, { TAIL_NODE: 'gw-7', TAIL_REGION: 'east' });
  await taken(collector, parts.length);
  const records = recordsOf(await collector.messages());
  const outcomes = Object.fromEntries(records.map(({ request_id: id, outcome }) => [id, outcome]));
  assert.deepEqual(outcomes, {
    ok: 'success',
    caller: 'caller_error',
    service: 'service_error',
    nothing: 'unknown',
    'bad-gateway': 'service_error',
    'late-gateway': 'service_error',
    'hung-up': 'service_error',
  });
  const { exit_ip: address, ...ok } = records.find(({ request_id: id }) => id === 'ok') ?? assert.fail();
  assert.equal(address.subarray(12).join('.'), '203.0.113.7');
  assert.deepEqual(ok, {
    time: timeMs,
    sdk_app_id: 1_400_000_001,
    interface: 'openim/sendmsg',
    latency_us: 41_000,
    upstream_us: 30_000,
    rtt_us: 1_500,
    code: 0,
    http_status: 200,
    outcome: 'success',
    exception: '',
    cause: '',
    node: 'gw-7',
    region: 'east',
    platform: '',
    sdk_version: '',
    request_id: 'ok',
    weight: 1,
  });
});

test('a file created later is read from its beginning, an incomplete line once it is complete', async (t) => {
  const path = newPath();
  const collector = await tailing(t, path);
  await until('the tailer looks', async () => (await collector.metric('tail_files')) === 0);
  const [half = '', rest = ''] = lines('two')
    .split(' ', 2)
    .map((_, index, all) => {
      const cut = (all[0] ?? '').length;
      return index === 0 ? lines('two').slice(0, cut) : lines('two').slice(cut);
    });
  appendFileSync(path, lines('one') + half);
  await taken(collector, 1);
  appendFileSync(path, rest + lines('three'));
  await taken(collector, 3);
  assert.equal(await collector.metric('tail_behind_bytes'), 0);
  assert.deepEqual(idsOf(await collector.messages()), ['one', 'three', 'two']);
});

test('rotation by rename, by copy and truncation, and deletion lose nothing; a last line needs no newline', async (t) => {
  const path = newPath();
  const collector = await tailing(t, path);
  writeFileSync(path, lines('a1', 'a2'));
  await taken(collector, 2);
  renameSync(path, `${path}.1`);
  // As nginx does until it is told to open its log again.
  appendFileSync(`${path}.1`, lines('a3') + lines('a4').trimEnd());
  writeFileSync(path, lines('b1'));
  await taken(collector, 5);
  copyFileSync(path, `${path}.2`);
  truncateSync(path);
  appendFileSync(path, lines('c1', 'c2'));
  await taken(collector, 7);
  rmSync(path);
  writeFileSync(path, lines('d1'));
  writeFileSync(`${path}.3.gz`, gzipSync(lines('packed')));
  await taken(collector, 8);
  assert.deepEqual(idsOf(await collector.messages()), ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'c2', 'd1']);
  await until('files that are gone are let go', async () => (await collector.metric('tail_files')) === 1);
});

/** Records whose first 256 bytes are the same. */
const sameHead = (ids: readonly string[]): string =>
  ids
    .map((id) => record(id).replace('{', `{"node":"${'n'.repeat(120)}","region":"${'r'.repeat(120)}",`))
    .join('');

test('a file truncated and rewritten with the same beginning and more lines is read from its beginning, and counted', async (t) => {
  const path = newPath();
  writeFileSync(path, sameHead(['r0', 'r1', 'r2', 'r3', 'r4']));
  const collector = await running(t, {
    COLLECTOR_LISTEN: 'false',
    TAIL_FILES: path,
    TAIL_FORMAT: 'ndjson',
  });
  await taken(collector, 5);
  const fresh = ['r100', 'r101', 'r102', 'r103', 'r104', 'r105', 'r106', 'r107'];
  // In place and at once, as a writer does that goes on at the beginning.
  writeFileSync(path, sameHead(fresh));
  await taken(collector, 13);
  assert.deepEqual(idsOf(await collector.messages()), ['r0', 'r1', 'r2', 'r3', 'r4', ...fresh].toSorted());
  assert.equal(await collector.metric('tail_truncations_total'), 1);
  assert.deepEqual(await collector.labelled('records_rejected_total'), {});
});

test('retries, a WebSocket, an integer duration and a byte order mark: each line is read as what it is', async (t) => {
  const path = newPath();
  const at = (Date.now() / 1000).toFixed(3);
  const line = (id: string, status: number, upstreams: string, took: string): string =>
    `203.0.113.7 [${at}] "POST /v4/openim/sendmsg?sdkappid=5 HTTP/1.1" ${status} ${upstreams} ${took} ${id}\n`;
  writeFileSync(
    path,
    `\uFEFF${line('one', 200, '192.0.2.1:80 0.011', '0.012')}` +
      line('two', 200, '192.0.2.1:80, [2001:db8::9]:80 : backend 0.050, 0.010 : -', '0.061') +
      line('none', 502, 'backend -', '0.000') +
      line('socket', 101, '192.0.2.1:80 90000.100', '90000.100') +
      line('micro', 200, '192.0.2.1:80 0.011', '23000'),
  );
  const collector = await running(t, {
    COLLECTOR_LISTEN: 'false',
    TAIL_FILES: path,
    TAIL_LOG_FORMAT:
      '$remote_addr [$msec] "$request" $status $upstream_addr $upstream_response_time $request_time $request_id',
  });
  await taken(collector, 5);
  assert.deepEqual(
    recordsOf(await collector.messages())
      .map(({ request_id: id, latency_us: us, upstream_us: upstream }) => [id, us, upstream].join(' '))
      .toSorted(),
    ['none 0 ', 'one 12000 11000', 'two 61000 60000'],
  );
  assert.deepEqual(await collector.labelled('records_rejected_total'), {
    protocol_switch: 1,
    invalid_duration: 1,
  });
});

test('a pattern follows all files it matches, renamed ones only once', async (t) => {
  const path = newPath();
  const collector = await tailing(t, `${path}*`);
  writeFileSync(path, lines('one'));
  writeFileSync(`${path}-other`, lines('two'));
  await taken(collector, 2);
  renameSync(path, `${path}.1`);
  writeFileSync(path, lines('three'));
  await taken(collector, 3);
  assert.deepEqual(idsOf(await collector.messages()), ['one', 'three', 'two']);
});

test('an invalid line is counted by its reason, and its neighbours are read', async (t) => {
  const path = newPath();
  const late = logLine({ id: 'late', timeMs: Date.now() - 25 * 3_600_000 });
  const health = logLine({ id: 'health' }).replace('/v4/openim/sendmsg', '/health');
  const bytes = [
    Buffer.from(lines('one')),
    Buffer.from(`${late}\n${health}\n\n  \r\nnothing of a line\n`),
    Buffer.from(`${logLine({ id: 'long', agent: 'x'.repeat(70_000) })}\n`),
    Buffer.alloc(3 << 20, 'y'),
    Buffer.from(`\n${lines('two')}`),
    Buffer.from([0xff, 0xfe, 0, 0, 0x80, 10]),
    Buffer.from(lines('three').replace('curl', 'c\0url')),
    Buffer.from(`${logLine({ id: 'four', agent: '\u{1F600}' })}\r\n`),
  ];
  writeFileSync(path, Buffer.concat(bytes));
  const collector = await tailing(t, path);
  await taken(collector, 10);
  assert.deepEqual(idsOf(await collector.messages()), ['four', 'one', 'three', 'two']);
  assert.deepEqual(await collector.labelled('records_rejected_total'), {
    time_too_old: 1,
    not_im_request: 1,
    malformed_line: 2,
    line_too_long: 2,
  });
  assert.equal(await collector.metric('tail_lines_total'), 10);
  await collector.stop();
  const accounts = (await collector.accountMessages()).flatMap(({ records }) => records);
  const refused = accounts.filter(({ final }) => final).flatMap(({ applications }) => applications);
  assert.equal(JSON.stringify(refused).includes('line_too_long'), true);
});

function record(id: string): string {
  return `${JSON.stringify({ time: Date.now(), sdk_app_id: 5, interface: 'sns/friend_add', exit_ip: '2001:db8::1', latency_ms: 1, code: 0, usersig: 'x', request_id: id })}\n`;
}

test('NDJSON and a load balancer’s lines, in all their formats, are read too', async (t) => {
  const json = newPath();
  writeFileSync(json, `${record('j1')}{"time":\n[1]\n${record('j2')}`);
  const environment = { COLLECTOR_LISTEN: 'false', TAIL_FILES: json, TAIL_FORMAT: 'ndjson' };
  const ndjson = await running(t, environment);
  await taken(ndjson, 4);
  assert.deepEqual(idsOf(await ndjson.messages()), ['j1', 'j2']);
  assert.deepEqual(await ndjson.labelled('records_rejected_total'), { malformed_json: 1, not_an_object: 1 });

  const path = newPath();
  const time = new Date().toUTCString().replace(/^\w+, (\d+) (\w+) (\d+) ([\d:]+) GMT$/, '$1/$2/$3:$4 +0000');
  const request = 'POST /v4/openim/sendmsg?sdkappid=6&identifier=a&usersig=b&random=1 HTTP/1.1';
  const clb = (id: string, upstream: string, end: string): string =>
    `[${id}] [${time}] [https] [10.0.0.1:443] [im.example] [2001:db8::9:5123] [200] ${upstream}[200] [10.0.0.2] [${request}] [512] [256] [im.example] [Java] [-] [0.120] [0.100] [0.001] [0.1] [15250] [12] [3] [0.000] [ECDHE-RSA] [TLSv1.2] ${end}\n`;
  writeFileSync(
    path,
    clb('full', '[10.0.0.2:80] ', '[1.2.3.4_1] [/v4/openim/sendmsg] [HTTP/1.1]') +
      clb('older', '[10.0.0.2:80] ', '[1.2.3.4_1]') +
      clb('oldest', '', '[r]'),
  );
  const balancer = await running(t, { COLLECTOR_LISTEN: 'false', TAIL_FILES: path, TAIL_FORMAT: 'clb' });
  await taken(balancer, 3);
  const records = recordsOf(await balancer.messages());
  assert.deepEqual(
    records
      .map(({ request_id: id, latency_us: us, rtt_us: rtt, outcome }) => [id, us, rtt, outcome].join(' '))
      .toSorted(),
    ['full 120000 15250 unknown', 'older 120000 15250 unknown', 'oldest 120000 15250 unknown'],
  );
});
