/*
 * A collector that tails, as a process of its own, so that it can be killed; with everything it says.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../../scripts/stack/ports.js';
import { testBroker } from '../running-collector.js';
import { TAIL_ENVIRONMENT } from './tail-lines.js';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export type TailProcess = {
  /** All it wrote to stdout and stderr so far. */
  readonly said: () => string;
  /** Its metrics page; empty while it does not answer. */
  metricsPage(): Promise<string>;
  /** The sum of a metric over its labels; 0 while it is not told. */
  metric(name: string): Promise<number>;
  kill(): Promise<void>;
  /** Stops it. Resolves with its exit code. */
  stop(): Promise<number | null>;
};

export async function startTailProcess(environment: Record<string, string>): Promise<TailProcess> {
  const adminPort = String(await freePort());
  const child = spawn(process.execPath, ['--conditions=imscope-source', '--import', 'tsx', MAIN], {
    env: {
      PATH: process.env['PATH'],
      ...TAIL_ENVIRONMENT,
      KAFKA_BROKERS: testBroker(),
      ADMIN_PORT: adminPort,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  }
  const metricsPage = async (): Promise<string> => {
    try {
      return await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
    } catch {
      return '';
    }
  };
  return {
    said: () => said,
    metricsPage,
    metric: async (name) => {
      const lines = (await metricsPage()).matchAll(
        new RegExp(`^imscope_collector_${name}(?:\\{.*\\})? (\\S+)$`, 'gm'),
      );
      return Array.from(lines, ([, value]) => Number(value)).reduce((sum, value) => sum + value, 0);
    },
    kill: () => end(child, 'SIGKILL').then(() => undefined),
    stop: () => end(child, 'SIGTERM'),
  };
}

async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  child.kill(signal);
  await once(child, 'exit');
  return child.exitCode;
}
