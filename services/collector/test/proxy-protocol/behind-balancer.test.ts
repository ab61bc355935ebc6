/* The whole collector behind a balancer: who a refused request came from shows in its log, masked. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { runCollector, type RunningCollector, WRITE_TOKEN } from '../running-collector.js';
import { sampleRecord } from '../sample-record.js';
import { binaryHeader, LOCAL_COMMAND, tcpHeader, textHeader } from './header-bytes.js';
import { exchange, exchangeTls, postRequest, untilClosed } from './raw-connection.js';

const BAD_TOKEN = { authorization: 'Bearer no-such-token-no-such' };
const GOOD_TOKEN = { authorization: `Bearer ${WRITE_TOKEN}` };

let logged: { client?: string; status?: number; reason?: string; peer?: string }[] = [];
let collector: RunningCollector;
const directory = mkdtempSync(join(tmpdir(), 'imscope-proxy-'));

function onLog(line: string): void {
  logged.push(JSON.parse(line) as (typeof logged)[number]);
}

before(async () => {
  const environment = { PROXY_PROTOCOL_PORT: '0', FORWARDED_HOPS: '1' };
  collector = await runCollector({ environment, onLog });
});

after(async () => {
  await collector.remove();
  rmSync(directory, { recursive: true });
});

function portsOf({ url, proxyPort }: RunningCollector): { plain: number; proxy: number } {
  assert(proxyPort !== undefined);
  return { plain: Number(new URL(url).port), proxy: proxyPort };
}

/** The network of the client in the one line that a refused request has made. */
async function refusedFrom(sending: Promise<string>): Promise<string | undefined> {
  logged = [];
  assert.match(await sending, /^HTTP\/1\.1 401 /);
  const lines = logged.filter(({ status }) => status === 401);
  assert.equal(lines.length, 1);
  return lines[0]?.client;
}

test('the client is the source of a PROXY header of either version, in the same packet as the request', async () => {
  const { proxy } = portsOf(collector);
  const request = postRequest(BAD_TOKEN);
  const sources: readonly [Buffer, string][] = [
    [Buffer.from(textHeader('203.0.113.7')), '203.0.113.0/24'],
    [tcpHeader('198.51.100.7'), '198.51.100.0/24'],
    [Buffer.from(textHeader('2001:db8:1::7')), '2001:db8:1::/48'],
    [tcpHeader('2001:db8:2::7'), '2001:db8:2::/48'],
  ];
  for (const [header, client] of sources)
    assert.equal(await refusedFrom(exchange(proxy, [Buffer.concat([header, Buffer.from(request)])])), client);
});

test('LOCAL and UNKNOWN keep the real peer as the client', async () => {
  const { proxy } = portsOf(collector);
  const local = binaryHeader({ versionAndCommand: LOCAL_COMMAND });
  assert.equal(await refusedFrom(exchange(proxy, [local, postRequest(BAD_TOKEN)])), '127.0.0.0/24');
  const answer = await exchange(proxy, ['PROXY UNKNOWN\r\n', postRequest(GOOD_TOKEN, record('unknown'))]);
  assert.match(answer, /^HTTP\/1\.1 202 /);
});

test('records after a header are stored, and every request of a connection has the header’s client', async () => {
  const { proxy } = portsOf(collector);
  const kept = { ...GOOD_TOKEN, connection: 'keep-alive' };
  const refused = postRequest({ authorization: 'Bearer' });
  const socket = connect(proxy, '127.0.0.1');
  const answers = untilClosed(socket);
  socket.write(textHeader('192.0.2.7'));
  socket.write(postRequest(kept, record('first')));
  socket.write(postRequest(kept, record('second')));
  logged = [];
  socket.write(refused);
  assert.deepEqual((await answers).match(/HTTP\/1\.1 \d+/g), [
    'HTTP/1.1 202',
    'HTTP/1.1 202',
    'HTTP/1.1 401',
  ]);
  assert.deepEqual(
    logged.filter(({ status }) => status === 401).map(({ client }) => client),
    ['192.0.2.0/24'],
  );
  const stored = (await collector.messages()).flatMap(({ records }) => records.map((one) => one.request_id));
  assert.deepEqual(stored.toSorted(), ['first', 'second', 'unknown']);
});

function record(id: string): string {
  return JSON.stringify(sampleRecord({ time: Date.now(), request_id: id }));
}

test('X-Forwarded-For is counted from the right, its lines joined, and from the header’s source on', async () => {
  const { plain, proxy } = portsOf(collector);
  const forged = 'X-Forwarded-For: 192.0.2.99\r\nx-forwarded-for: ';
  const request = (client: string): string =>
    postRequest(BAD_TOKEN).replace('\r\n', `\r\n${forged}${client}\r\n`);
  assert.equal(await refusedFrom(exchange(plain, [request('100.64.1.1')])), '100.64.1.0/24');
  assert.equal(await refusedFrom(exchange(plain, [request('[2001:db8:3::1]:77')])), '2001:db8:3::/48');
  const header = textHeader('100.64.2.1');
  assert.equal(await refusedFrom(exchange(proxy, [header, request('garbage')])), '100.64.2.0/24');
});

test('without a header the PROXY listener closes; with one the ordinary listener answers 400 and closes', async () => {
  const { plain, proxy } = portsOf(collector);
  const connections = await collector.metric('proxy_connections_total');
  logged = [];
  assert.equal(await exchange(proxy, [postRequest(GOOD_TOKEN)]), '');
  const lines = logged.filter(({ reason }) => reason === 'no_header');
  assert.deepEqual(
    lines.map(({ peer }) => peer),
    ['127.0.0.0/24'],
  );
  // Told once, counted each time.
  await exchange(proxy, [postRequest(GOOD_TOKEN)]);
  assert.equal(logged.filter(({ reason }) => reason === 'no_header').length, 1);
  assert.equal((await collector.metric('proxy_connections_total')) - connections, 2);
  for (const header of [textHeader('203.0.113.7'), tcpHeader('203.0.113.7')])
    assert.match(await exchange(plain, [header, postRequest(GOOD_TOKEN)]), /^HTTP\/1\.1 400 /);
});

test('with a certificate TLS begins after the header, in the same packet or later', async () => {
  const [cert, key] = [join(directory, 'tls.crt'), join(directory, 'tls.key')];
  const subject = ['-subj', '/CN=collector', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await promisify(execFile)('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert, ...subject]);
  const environment = { PROXY_PROTOCOL_PORT: '0', TLS_CERT_FILE: cert, TLS_KEY_FILE: key };
  const secure = await runCollector({ environment, onLog });
  try {
    const { proxy } = portsOf(secure);
    const ca = readFileSync(cert);
    for (const [header, client] of [
      [textHeader('203.0.113.7'), '203.0.113.0/24'],
      [tcpHeader('2001:db8:1::7'), '2001:db8:1::/48'],
    ] as const)
      assert.equal(await refusedFrom(exchangeTls(proxy, header, postRequest(BAD_TOKEN), ca)), client);
    const answer = await exchangeTls(
      proxy,
      textHeader('203.0.113.7'),
      postRequest(GOOD_TOKEN, record('tls')),
      ca,
    );
    assert.match(answer, /^HTTP\/1\.1 202 /);
    assert.equal(await exchange(proxy, [textHeader('203.0.113.7'), postRequest(GOOD_TOKEN)]), '');
  } finally {
    await secure.remove();
  }
});

test('a stop closes connections that wait for a header and idle ones', async () => {
  const stopping = await runCollector({ environment: { PROXY_PROTOCOL_PORT: '0' } });
  const { proxy } = portsOf(stopping);
  const waiting = connect(proxy, '127.0.0.1');
  const kept = connect(proxy, '127.0.0.1');
  const closed = [untilClosed(waiting), untilClosed(kept)];
  kept.write(
    textHeader('203.0.113.7') + postRequest({ ...GOOD_TOKEN, connection: 'keep-alive' }, record('kept')),
  );
  await new Promise((resolve) => kept.once('data', resolve));
  await stopping.stop();
  assert.equal(await closed[0], '');
  assert.match((await closed[1]) ?? '', /^HTTP\/1\.1 202 /);
  await stopping.remove();
});
