/* Tests two collectors behind HAProxy with the configuration in deploy/. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { request } from 'undici';
import { HAPROXY_CONFIGURATION, haproxyEnvironment, haproxyProgram, startHaproxy } from '../stack/haproxy.js';
import type { RunningFront } from '../stack/front.js';
import {
  type BalancedCollectors,
  assertEachOnce,
  startCollectors,
  withoutRepeated,
} from './balanced-collectors.js';
import { refused, SteadyLoad } from './steady-load.js';

let collectors: BalancedCollectors;
let haproxy: RunningFront;
let loads: SteadyLoad[];

beforeEach(async () => {
  loads = [];
  collectors = await startCollectors();
  const logFile = join(collectors.directory, 'haproxy.log');
  haproxy = await startHaproxy({ backends: collectors.ports, logFile });
});

afterEach(async () => {
  for (const load of loads) load.abort();
  await haproxy.kill();
  await collectors.end();
});

/** Clients of three networks; the largest requests exceed the size HAProxy can repeat. */
const CLIENTS = [20, 100, 100, 300, 300, 1_500].map((records, index) => ({
  records,
  localAddress: `127.0.${(index % 3) + 1}.1`,
}));

function startLoad(name: string, keyed: boolean, recordsMax = 5_000): SteadyLoad {
  const clients = CLIENTS.filter(({ records }) => records <= recordsMax);
  const load = new SteadyLoad({ origin: haproxy.origin, token: collectors.token, name, keyed, clients });
  loads.push(load);
  return load;
}

function check(env: Readonly<Record<string, string>>): string {
  return execFileSync(haproxyProgram(), ['-c', '-f', HAPROXY_CONFIGURATION], { encoding: 'utf8', env });
}

test('the configuration is valid, with its defaults and with addresses from the environment', () => {
  assert.match(check({}), /Configuration file is valid/);
  assert.match(check(haproxyEnvironment(18_080, collectors.ports)), /Configuration file is valid/);
});

test('a rolling restart under load: every request is answered 202, every record is in Kafka once', async () => {
  startLoad('plain', false);
  startLoad('keyed', true);
  const more = async (): Promise<unknown> => Promise.all(loads.map((load) => load.more(30)));
  await more();
  for (const index of [0, 1] as const) {
    await collectors.stop(index);
    await more();
    await collectors.start(index);
    await collectors.untilTaking(index);
  }
  await Promise.all(loads.map((load) => load.finish()));
  assert.deepEqual(
    loads.map(({ failures }) => failures),
    [[], []],
  );
  const acknowledged = loads.flatMap((load) => [...load.acknowledged]);
  assertEachOnce(await collectors.stopAndRead(), new Set(acknowledged));
});

test('a collector with a failing disk answers 503, HAProxy repeats the request at the other: no request fails', async () => {
  const load = startLoad('plain', false, 300);
  await load.more(20);
  const mend = collectors.failDisk(0);
  const deadline = performance.now() + 30_000;
  while ((await collectors.unavailable(0)) === 0) {
    assert.ok(performance.now() < deadline, 'no 503 within 30 s');
    await load.more(5);
  }
  await load.more(50);
  mend();
  await load.finish();
  assert.deepEqual(load.failures, []);
  assertEachOnce(await collectors.stopAndRead(), load.acknowledged);
});

test('a collector is killed under load: requests with a key succeed when repeated, every record counts once', async () => {
  const load = startLoad('keyed', true);
  for (const index of [0, 1] as const) {
    await load.more(20);
    await collectors.kill(index);
    await load.more(20);
    await collectors.start(index);
    await collectors.untilTaking(index);
  }
  await load.finish();
  // Requests that HAProxy did not repeat got an answer that allows a retry, or none, which allows it with a key.
  assert.deepEqual(
    load.failures.filter((failure) => !/^(no answer|50[234] .*"code":"(timeout|unavailable)")/.test(failure)),
    [],
  );
  assertEachOnce(withoutRepeated(await collectors.stopAndRead()), load.acknowledged);
});

/** Starts a second HAProxy with another option in place of `send-proxy-v2`, also before other collectors. */
async function startVariant(name: string, sending: string, before = collectors): Promise<RunningFront> {
  const configuration = join(collectors.directory, `${name}.cfg`);
  const text = readFileSync(HAPROXY_CONFIGURATION, 'utf8');
  writeFileSync(configuration, text.replaceAll('send-proxy-v2', sending));
  const logFile = join(collectors.directory, `${name}.log`);
  return startHaproxy({ backends: before.ports, logFile, configuration });
}

test('PROXY headers of version 2 and 1 identify the client, whatever HTTP headers it sends', async () => {
  await refused(haproxy.origin, '127.0.11.1');
  await refused(haproxy.origin, '127.0.12.1');
  const versionOne = await startVariant('v1', 'send-proxy');
  await refused(versionOne.origin, '127.0.13.1');
  await versionOne.kill();
  const withFields = await startVariant('fields', 'send-proxy-v2 proxy-v2-options crc32c,authority');
  await refused(withFields.origin, '127.0.14.1');
  await withFields.kill();
  const networks = [11, 12, 13, 14].map((network) => `127.0.${network}.0/24`);
  const clients = await collectors.refusedFrom(networks);
  assert.ok(!clients.has('203.0.113.0/24'));
});

test('collectors with TLS identify the client behind an HAProxy that verifies their certificate', async (t) => {
  const [cert, key] = [join(collectors.directory, 'tls.crt'), join(collectors.directory, 'tls.key')];
  const subject = ['-subj', '/CN=collector', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert, ...subject], {
    stdio: 'ignore',
  });
  const secure = await startCollectors({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key });
  t.after(() => secure.end());
  const variant = await startVariant('tls', `send-proxy-v2 ssl verify required ca-file ${cert}`, secure);
  await refused(variant.origin, '127.0.15.1');
  await secure.refusedFrom(['127.0.15.0/24']);
  await variant.kill();
});

test('with no collector ready HAProxy answers the collectors’ own 503 with Retry-After', async () => {
  await collectors.stop(0);
  await collectors.stop(1);
  const answer = await request(`${haproxy.origin}/v1/request-logs`, { method: 'POST' });
  assert.equal(answer.statusCode, 503);
  assert.equal(answer.headers['retry-after'], '2');
  const { error } = (await answer.body.json()) as { error: { code: string } };
  assert.equal(error.code, 'unavailable');
  await Promise.all([collectors.start(0), collectors.start(1)]);
});
