import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { EdgeAccount } from '@imscope/schemas/edge-account.js';
import type { InterfaceMetric } from '@imscope/schemas/interface-metric.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import {
  createTestTopic,
  readMessages,
  testBroker,
  WRITE_TOKEN,
  writeRegistryFile,
} from './running-collector.js';
import { sampleRecord } from './sample-record.js';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

function spawnCollector(environment: Record<string, string>, ...args: string[]) {
  const node = ['--conditions=imscope-source', '--import', 'tsx', MAIN, ...args];
  return spawn(process.execPath, node, {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function exitCode(child: ChildProcess): Promise<unknown> {
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

test('--check-config prints every setting in force and ends', async () => {
  const child = spawnCollector(
    { REGISTRY_FILE: '/nowhere/registry.json', SPOOL_DIR: '/nowhere/spool', LATE_HOURS_MAX: '61' },
    '--check-config',
  );
  const [code, printed] = await Promise.all([exitCode(child), text(child.stdout)]);
  assert.equal(code, 0);
  assert.match(printed, /^LATE_HOURS_MAX=61 /m);
  assert.match(printed, /^COLLECTOR_PORT=8088 /m);
});

test('wrong settings are all named at once and the exit code is 2', async () => {
  const child = spawnCollector({ LATE_HOURS_MAX: '169', COLLECTOR_PORT: 'x' });
  const [code, printed] = await Promise.all([exitCode(child), text(child.stderr)]);
  assert.equal(code, 2);
  for (const name of ['LATE_HOURS_MAX', 'COLLECTOR_PORT', 'REGISTRY_FILE', 'SPOOL_DIR'])
    assert.match(printed, new RegExp(name));
});

test('retention settings that contradict each other are refused with the sum, at a start and by check', async () => {
  const wrong = {
    REGISTRY_FILE: '/nowhere/registry.json',
    SPOOL_DIR: '/nowhere/spool',
    LATE_HOURS_MAX: '62',
  };
  const [child, checked] = [spawnCollector(wrong), spawnCollector(wrong, 'check')];
  // Both at once: an end that nobody waits for yet would be missed.
  const [code, printed, checkCode, report] = await Promise.all([
    exitCode(child),
    text(child.stderr),
    exitCode(checked),
    text(checked.stdout),
  ]);
  assert.equal(code, 2);
  const sum =
    /may be kept 169 h, allowed are 168 h: 62 late \(LATE_HOURS_MAX\) \+ 24 at the edge \(EDGE_WAIT_HOURS\)/;
  assert.match(printed, sum);
  assert.equal(checkCode, 2);
  assert.match(report, sum);
});

test('the process accepts records and ends with code 0 on SIGTERM', async () => {
  const topic = await createTestTopic(1);
  const registryFile = await writeRegistryFile();
  const child = spawnCollector({
    KAFKA_BROKERS: testBroker(),
    KAFKA_TOPIC_PREFIX: topic.prefix,
    REGISTRY_FILE: registryFile.path,
    SPOOL_DIR: join(registryFile.directory, 'spool'),
    COLLECTOR_PORT: '0',
  });
  const exited = exitCode(child);
  try {
    let port = 0;
    for await (const line of createInterface(child.stdout)) {
      port = Number(/"port":(\d+)/.exec(line)?.[1] ?? 0);
      if (port !== 0) break;
    }
    const response = await fetch(`http://127.0.0.1:${port}/v1/request-logs`, {
      method: 'POST',
      body: JSON.stringify(sampleRecord({ time: Date.now() })),
      headers: { authorization: `Bearer ${WRITE_TOKEN}`, 'content-type': 'application/json' },
    });
    assert.equal(response.status, 202);
    assert.deepEqual(await response.json(), {
      accepted: 1,
      rejected: [],
      rejected_count: 0,
      rejected_by_reason: {},
    });
    child.kill('SIGTERM');
    assert.equal(await exited, 0);
    const accounts = await readMessages<EdgeAccount>(topic.kafka, topic.prefix + TOPICS.edgeAccount.name);
    const last = accounts.at(-1)?.records[0];
    assert.equal(last?.final, true);
    assert.deepEqual(
      last.applications.map(({ accepted }) => accepted),
      [1],
    );
    const metrics = await readMessages<InterfaceMetric>(
      topic.kafka,
      topic.prefix + TOPICS.interfaceMetric.name,
    );
    assert.deepEqual(
      metrics.flatMap(({ records }) => records.map(({ success }) => success)),
      [1],
    );
  } finally {
    child.kill('SIGKILL');
    await topic.remove();
    await registryFile.remove();
  }
});
