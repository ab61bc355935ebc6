/* Tests two collectors behind nginx with the configurations in deploy/. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { RunningFront } from '../stack/front.js';
import { startNginxFront } from '../stack/nginx-front.js';
import {
  type BalancedCollectors,
  assertEachOnce,
  startCollectors,
  withoutRepeated,
} from './balanced-collectors.js';
import { refused, SteadyLoad } from './steady-load.js';

let collectors: BalancedCollectors;
let nginx: RunningFront;
let load: SteadyLoad;

beforeEach(async () => {
  collectors = await startCollectors({ FORWARDED_HOPS: '1' });
  const [first, second] = collectors.ports;
  nginx = await startNginxFront({
    configuration: 'imscope.conf',
    collectorPorts: [first.port, second.port],
    directory: join(collectors.directory, 'nginx'),
  });
});

afterEach(async () => {
  load?.abort();
  await nginx.stop();
  await collectors.end();
});

const CLIENTS = [20, 100, 300, 1_500].map((records, index) => ({
  records,
  localAddress: `127.0.${index + 1}.1`,
}));

function startLoad(name: string, keyed: boolean, clients: number): SteadyLoad {
  const { token } = collectors;
  load = new SteadyLoad({ origin: nginx.origin, token, name, keyed, clients: CLIENTS.slice(0, clients) });
  return load;
}

test('X-Forwarded-For of nginx identifies the client, and a forged one has no effect', async () => {
  await refused(nginx.origin, '127.0.21.1');
  await refused(nginx.origin, '127.0.22.1');
  const clients = await collectors.refusedFrom(['127.0.21.0/24', '127.0.22.0/24']);
  assert.ok(!clients.has('203.0.113.0/24'));
});

test('the PROXY header of nginx’s TCP proxy identifies the client', async () => {
  const [first, second] = collectors.ports;
  const stream = await startNginxFront({
    configuration: 'imscope-stream.conf',
    collectorPorts: [first.proxyPort, second.proxyPort],
    directory: join(collectors.directory, 'nginx-stream'),
  });
  await refused(stream.origin, '127.0.23.1', {});
  await stream.stop();
  await collectors.refusedFrom(['127.0.23.0/24']);
});

test('a collector with a failing disk answers 503, nginx asks the other: requests without a key do not fail', async () => {
  startLoad('plain', false, 1);
  await load.more(10);
  const mend = collectors.failDisk(0);
  const deadline = performance.now() + 30_000;
  while ((await collectors.unavailable(0)) < 5) {
    assert.ok(performance.now() < deadline, 'no 503 within 30 s');
    await load.more(5);
  }
  mend();
  await load.finish();
  assert.deepEqual(load.failures, []);
  assertEachOnce(await collectors.stopAndRead(), load.acknowledged);
});

test('collectors are restarted and killed under load: no request with a key fails, every record counts once', async () => {
  startLoad('keyed', true, CLIENTS.length);
  for (const [index, end] of [
    [0, collectors.stop],
    [1, collectors.kill],
  ] as const) {
    await load.more(20);
    await end(index);
    await load.more(20);
    await collectors.start(index);
    await collectors.untilTaking(index);
  }
  await load.finish();
  assert.deepEqual(load.failures, []);
  assertEachOnce(withoutRepeated(await collectors.stopAndRead()), load.acknowledged);
});
