import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClientRequest, request as httpRequest } from 'node:http';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { hashToken } from '@imscope/access/tokens.js';
import { createTestTopic, EAST_TOKEN, runCollector, testBroker } from '../running-collector.js';
import { sampleRecord } from '../sample-record.js';
import type { SenderAnswers, SenderOrder } from './sender-process.js';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const SENDER = fileURLToPath(new URL('sender-process.ts', import.meta.url));
const FROM_SOURCE = ['--conditions=imscope-source', '--import', 'tsx'];
const QUIET_TOKEN = 'quiet-write-token-000001';
const NOISY_TOKEN = 'noisy-write-token-000001';
const QUIET = 7;
const NOISY = 8;
const NOISY_QUOTA = 200;
const ROUNDS = 5;
const ROUND_MS = 1_500;

/** A collector in a process of its own, and its address. */
async function startCollector(
  environment: Record<string, string>,
): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [...FROM_SOURCE, MAIN], {
    env: { PATH: process.env['PATH'], COLLECTOR_PORT: '0', KAFKA_BROKERS: testBroker(), ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(child.stdout)) {
    const port = Number(/"port":(\d+)/.exec(line)?.[1] ?? 0);
    if (port === 0) continue;
    child.stdout.resume();
    return { child, url: `http://127.0.0.1:${port}/v1/request-logs` };
  }
  throw new Error('the collector ended before it listened');
}

async function order(sender: ChildProcess, what: SenderOrder): Promise<SenderAnswers> {
  sender.send(what);
  const [answers] = (await once(sender, 'message')) as [SenderAnswers];
  return answers;
}

function percentile(latenciesMs: readonly number[], share: number): number {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
}

type Round = {
  readonly alone: SenderAnswers;
  readonly together: SenderAnswers;
  readonly noise: SenderAnswers;
};

/** Rounds of the quiet sender alone and beside the noisy one in turns. */
async function measure(url: string, senders: { quiet: ChildProcess; noisy: ChildProcess }): Promise<Round[]> {
  // Their periods are no multiples of each other: else they meet always, or never.
  const quiet = {
    url,
    token: QUIET_TOKEN,
    sdkAppId: QUIET,
    forMs: ROUND_MS,
    recordsPerRequest: 20,
    requestsPerSecond: 101,
    connections: 10,
  };
  const noisy = {
    url,
    token: NOISY_TOKEN,
    sdkAppId: NOISY,
    forMs: ROUND_MS,
    recordsPerRequest: 200,
    requestsPerSecond: (100 * NOISY_QUOTA) / 200,
    connections: 50,
  };
  const beside = () => Promise.all([order(senders.quiet, quiet), order(senders.noisy, noisy)]);
  // The first rounds are slow for everybody: code is compiled.
  for (let round = 0; round < 2; round++) await beside();
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const alone = await order(senders.quiet, quiet);
    const [together, noise] = await beside();
    rounds.push({ alone, together, noise });
  }
  return rounds;
}

function tokenOf(name: string, token: string, sdkAppId: number): object {
  return { name, sha256: hashToken(token), scope: 'write', applications: [sdkAppId] };
}

function accepted(answers: readonly SenderAnswers[]): number {
  return answers.reduce((sum, one) => sum + one.accepted, 0);
}

function p99({ latenciesMs }: SenderAnswers): number {
  return percentile(latenciesMs, 0.99);
}

/** For people: on a machine that does other things too, latencies of single rounds say little. */
function tell({ alone, together, noise }: Round): string {
  const ms = [alone, together].map((answers) => p99(answers).toFixed(1));
  return `accepted ${alone.accepted} → ${together.accepted}, p99 ${ms.join(' → ')} ms, noisy ${JSON.stringify(noise.byStatus)}`;
}

const CASES = [
  { what: 'all of it taken and sampled', application: {} },
  { what: 'most of it refused over its limit', application: { limit_per_second: 10 * NOISY_QUOTA } },
];

for (const { what, application } of CASES) {
  test(`a sender at 100 times its quota leaves another 99 % of what it gets accepted alone: ${what}`, async (t) => {
    const topic = await createTestTopic(3);
    const directory = mkdtempSync(join(tmpdir(), 'imscope-fairness-'));
    const registryFile = join(directory, 'registry.json');
    const registry = {
      tokens: [tokenOf('quiet', QUIET_TOKEN, QUIET), tokenOf('noisy', NOISY_TOKEN, NOISY)],
      application_defaults: { quota_per_second: 5_000 },
      applications: [{ sdk_app_id: NOISY, quota_per_second: NOISY_QUOTA, ...application }],
    };
    writeFileSync(registryFile, JSON.stringify(registry));
    const children: ChildProcess[] = [];
    try {
      const { child, url } = await startCollector({
        KAFKA_TOPIC_PREFIX: topic.prefix,
        REGISTRY_FILE: registryFile,
        SPOOL_DIR: join(directory, 'spool'),
      });
      const [quiet, noisy] = [
        fork(SENDER, { execArgv: FROM_SOURCE }),
        fork(SENDER, { execArgv: FROM_SOURCE }),
      ];
      children.push(quiet, noisy, child);
      const rounds = await measure(url, { quiet, noisy });
      for (const round of rounds) t.diagnostic(tell(round));
      const [alone, together] = [rounds.map((one) => one.alone), rounds.map((one) => one.together)];
      assert(accepted(together) >= 0.99 * accepted(alone), 'the quiet sender had records refused');
      const times = rounds.map(({ alone, together }) => p99(together) / p99(alone));
      t.diagnostic(
        `p99 beside over p99 alone, median of ${ROUNDS} rounds: ${percentile(times, 0.5).toFixed(2)}`,
      );
    } finally {
      for (const child of children) child.kill('SIGKILL');
      await topic.remove();
      rmSync(directory, { recursive: true });
    }
  });
}

/** An upload that sends so many bytes, waits for ever, and tells the status it got. */
function unfinishedUpload(
  url: string,
  token: string,
  bytes: number,
): { request: ClientRequest; status: () => number } {
  let status = 0;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const request = httpRequest(url, { method: 'POST', headers }, (response) => {
    status = response.statusCode ?? 0;
    response.resume();
  });
  request.on('error', () => undefined).write(Buffer.alloc(bytes, 32));
  return { request, status: () => status };
}

test('a sender that fills its memory share with unfinished bodies leaves memory for another', async () => {
  const bytesMax = 64 << 20;
  const collector = await runCollector({ environment: { BUFFER_BYTES_MAX: String(bytesMax) } });
  const uploads = Array.from({ length: 30 }, () => unfinishedUpload(collector.url, EAST_TOKEN, 4 << 20));
  try {
    const held = () => collector.metric('buffered_bytes');
    const refused = () => uploads.filter(({ status }) => status() === 503).length;
    // Each of the 30 is either held whole or refused; together they are twice what there is.
    while (refused() === 0 || (await held()) < (30 - refused()) * (4 << 20)) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert((await held()) <= (bytesMax * 2) / 3 + (4 << 20), String(await held()));
    const body = JSON.stringify(Array.from({ length: 5_000 }, () => sampleRecord({ time: Date.now() })));
    const { status } = await collector.post(body);
    assert.equal(status, 202);
    // Asked in this order: a refusal is counted before it is answered, and more may come meanwhile.
    const answered = refused();
    assert((await collector.metric('requests_limited_total')) >= answered);
  } finally {
    for (const { request } of uploads) request.destroy();
    await collector.remove();
  }
});
