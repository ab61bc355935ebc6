import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startFakeCollector, until, type FakeCollector } from './fake-collector.js';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'simulate-gateway-'));
after(() => rmSync(folder, { recursive: true }));

function start(arguments_: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(
    process.execPath,
    ['--conditions=imscope-source', '--import', 'tsx', MAIN, ...arguments_],
    {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, stdout, stderr })),
  );
  return { child, ended };
}

function received({ requests }: FakeCollector): number {
  return requests.reduce((sum, { records }) => sum + records.length, 0);
}

test('a run of N records ends with exit code 0, a table and the truth in a file', async () => {
  const collector = await startFakeCollector();
  const truthFile = join(folder, 'truth.json');
  const { ended } = start(['--url', collector.url, '--records', '2500', '--exact', '--truth', truthFile]);
  const { code, stdout } = await ended;
  await collector.stop();
  assert.equal(code, 0);
  assert.equal(received(collector), 2500);
  assert.match(stdout, /Lanternchat \(social\)/);
  assert.match(stdout, /SENT 2,500 acknowledged/);
  const truth: Record<string, unknown> = JSON.parse(readFileSync(truthFile, 'utf8'));
  assert.equal(Object(truth['totals'])['acknowledged'], 2500);
  assert.equal(truth['percentiles'], 'exact');
});

test('SIGTERM ends live traffic cleanly, with JSON progress and a summary of what arrived', async () => {
  const collector = await startFakeCollector();
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, 'from-a-file\n');
  const { child, ended } = start([
    `--url=${collector.url}`,
    '--rate=5000',
    '--progress=json',
    `--token-file=${tokenFile}`,
    '--incident-at=0s:bad-isp:60s',
    '--control-port=0',
  ]);
  await until(() => collector.requests.length >= 5);
  child.kill('SIGTERM');
  const { code, stdout } = await ended;
  await collector.stop();
  assert.equal(code, 0);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line): Record<string, unknown> => JSON.parse(line));
  assert.equal(lines[0]?.['type'], 'control');
  const progress = lines.filter((line) => line['type'] === 'progress').at(-1);
  assert.deepEqual(progress?.['incidents'], ['bad-isp']);
  const summary = lines.at(-1);
  assert.equal(summary?.['type'], 'summary');
  assert.equal(Object(summary['totals'])['acknowledged'], received(collector));
  assert.equal(collector.requests[0]?.headers.authorization, 'Bearer from-a-file');
});

test('history is followed by live traffic and holds its labelled incident', async () => {
  const collector = await startFakeCollector();
  const { ended } = start(
    ['--url', collector.url, '--history', '6d', '--records', '5000', '--rate', '1000', '--for', '500ms'],
    { IMSCOPE_TOKEN: 'from-the-environment' },
  );
  const { code, stdout } = await ended;
  await collector.stop();
  assert.equal(code, 0);
  assert.equal(received(collector), 5500);
  assert.match(stdout, /^error-burst: .* Tuktuk Mall/m);
  assert.equal(collector.requests[0]?.headers.authorization, 'Bearer from-the-environment');
});

test('a history ends at the time of --until', async () => {
  const collector = await startFakeCollector();
  const until = '2026-05-06T12:00:00Z';
  const args = ['--url', collector.url, '--history', '6d', '--records', '2000', '--until', until];
  const { code } = await start(args).ended;
  await collector.stop();
  assert.equal(code, 0);
  const times = collector.requests.flatMap(({ records }) => records.map(({ time }) => Number(time)));
  assert.equal(times.length, 2000);
  const toMs = Date.parse(until);
  // The clocks of some nodes are some minutes slow.
  assert.ok(Math.max(...times) < toMs && Math.min(...times) > toMs - 6 * 86_400_000 - 600_000);
});

test('a token on the command line and a run without records are refused', async () => {
  const results = await Promise.all([
    start(['--url', 'http://127.0.0.1:1', '--records', '1', '--token', 'x']).ended,
    start(['--url', 'http://127.0.0.1:1']).ended,
    start(['--url', 'http://127.0.0.1:1', '--history', '6d']).ended,
  ]);
  assert.deepEqual(
    results.map(({ code }) => code),
    [2, 2, 2],
  );
  assert.match(results[1]?.stderr ?? '', /nothing to send/);
});

test('a run without a collector ends with exit code 1 and the reason', async () => {
  const gone = await startFakeCollector();
  await gone.stop();
  const { code, stderr, stdout } = await start([
    '--url',
    gone.url,
    '--records',
    '10',
    '--give-up-after',
    '300ms',
  ]).ended;
  assert.equal(code, 1);
  assert.match(stderr, /the collector does not accept records: ECONNREFUSED/);
  assert.match(stdout, /UNSENT 10 \(ECONNREFUSED 10\)/);
});
