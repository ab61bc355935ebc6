/*
 * A real collector in a process of its own, with tokens for a good sender and for one that turned hostile, and what it
 * says about itself: metrics over HTTP, memory after collecting.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { hashToken } from '@imscope/access/tokens.js';
import { createTestTopic, READ_TOKEN, testBroker, WRITE_TOKEN } from '../running-collector.js';
import type { Usage } from './memory-probe.js';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const PROBE = new URL('memory-probe.ts', import.meta.url).href;
export const HOSTILE_TOKEN = 'hostile-write-token-0001';

export type CollectorProcess = {
  /** Of POST /v1/request-logs. */
  readonly url: string;
  /** The sum of a metric over those of its labels that fit; 0 where it was never counted. */
  metric(name: string, labels?: string): Promise<number>;
  usage(): Promise<Usage>;
  isRunning(): boolean;
  /** SIGTERM; the exit code. */
  stop(): Promise<number | null>;
  remove(): Promise<void>;
};

function token(name: string, secret: string, scope: string): object {
  return { name, sha256: hashToken(secret), scope, applications: 'all' };
}

export async function startCollectorProcess(
  environment: Record<string, string> = {},
): Promise<CollectorProcess> {
  const topic = await createTestTopic(1);
  const directory = await mkdtemp(join(tmpdir(), 'imscope-hostile-'));
  const registryFile = join(directory, 'registry.json');
  const tokens = [
    token('good', WRITE_TOKEN, 'write'),
    token('hostile', HOSTILE_TOKEN, 'write'),
    token('reader', READ_TOKEN, 'read'),
  ];
  await writeFile(registryFile, JSON.stringify({ tokens }));
  const node = ['--conditions=imscope-source', '--expose-gc', '--import', 'tsx', '--import', PROBE, MAIN];
  const child = spawn(process.execPath, node, {
    env: {
      PATH: process.env['PATH'],
      COLLECTOR_PORT: '0',
      KAFKA_BROKERS: testBroker(),
      KAFKA_TOPIC_PREFIX: topic.prefix,
      REGISTRY_FILE: registryFile,
      SPOOL_DIR: join(directory, 'spool'),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  assert(child.stdout !== null);
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const { port, adminPort } = await portsOf(child.stdout);
  return {
    url: `http://127.0.0.1:${port}/v1/request-logs`,
    metric: (name, labels = '') => readMetric(adminPort, name, labels),
    usage: () => ask(child),
    isRunning: () => child.exitCode === null && child.signalCode === null,
    stop: async () => {
      child.kill('SIGTERM');
      return (await exited)[0];
    },
    remove: async () => {
      child.kill('SIGKILL');
      await exited;
      await topic.remove();
      await rm(directory, { recursive: true });
    },
  };
}

/** Out of its log. */
async function portsOf(stdout: NodeJS.ReadableStream): Promise<{ port: number; adminPort: number }> {
  let port = 0;
  for await (const line of createInterface(stdout)) {
    port = Number(/"port":(\d+)/.exec(line)?.[1] ?? port);
    const adminPort = Number(/"adminPort":(\d+)/.exec(line)?.[1] ?? 0);
    if (port === 0 || adminPort === 0) continue;
    stdout.resume();
    return { port, adminPort };
  }
  throw new Error('the collector ended before it listened');
}

async function readMetric(adminPort: number, name: string, labels: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
  const samples = (await response.text()).matchAll(/^imscope_collector_(\w+)\{(.*)\} (\S+)$/gm);
  let sum = 0;
  for (const [, found, itsLabels = '', value] of samples) {
    if (found === name && itsLabels.includes(labels)) sum += Number(value);
  }
  return sum;
}

async function ask(child: ChildProcess): Promise<Usage> {
  child.send('usage');
  const [usage] = (await once(child, 'message')) as [Usage];
  return usage;
}

/** Waits until something has become true, within a minute: what is waited for needs seconds. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await holds())) {
    assert(performance.now() < deadline, `not within a minute: ${what}`);
    await sleep(50);
  }
}
