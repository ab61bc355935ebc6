import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

type Counts = { readonly passed: number; readonly failed: number; readonly reasons: readonly string[] };

const SAMPLE = fileURLToPath(new URL('run-sample.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'imscope-test-run-'));
after(() => rmSync(directory, { recursive: true, force: true }));

let written = 0;

function writeFile(body: string): string {
  const file = join(directory, `sample-${++written}.test.mjs`);
  writeFileSync(file, `import { test, describe, before } from 'node:test';\n${body}\n`);
  return file;
}

function sampleEnv(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  // The runner refuses to run inside itself.
  delete env['NODE_TEST_CONTEXT'];
  return env;
}

/** Runs test files of these contents as ./scripts/test would. */
async function runFiles(...bodies: readonly string[]): Promise<Counts> {
  const args = ['--import', 'tsx', SAMPLE, ...bodies.map(writeFile)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: sampleEnv() });
  return JSON.parse(stdout) as Counts;
}

/** True while a process with this id runs; one that has ended and was not waited for yet does not. */
function isRunning(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const deadlineMs = performance.now() + 30_000; !holds();) {
    assert.ok(performance.now() < deadlineMs, `not within 30 s: ${what}`);
    await sleep(20);
  }
}

test('tests of all files are counted, suites are not', async () => {
  const counts = await runFiles(
    `test('one', () => {}); describe('suite', () => { test('two', () => {}); });`,
    `test('three', () => {});`,
  );
  assert.deepEqual(counts, { passed: 3, failed: 0, reasons: [] });
});

test('a failing test fails, and the rest of its file still counts', async () => {
  const counts = await runFiles(`test('good', () => {}); test('bad', () => { throw new Error('broken'); });`);
  assert.deepEqual([counts.passed, counts.failed], [1, 1]);
  assert.match(counts.reasons.join(), /broken/);
});

test('a failing subtest is one failure, not one for each parent', async () => {
  const counts = await runFiles(
    `test('parent', async (t) => { await t.test('child', () => { throw new Error('broken'); }); });`,
  );
  assert.deepEqual([counts.passed, counts.failed], [0, 1]);
});

test('skipped tests and tests to do are failures', async () => {
  const counts = await runFiles(
    `test('a', { skip: true }, () => {}); test('b', { todo: true }, () => {}); test.skip('c', () => {});`,
  );
  assert.deepEqual([counts.passed, counts.failed], [0, 3]);
});

test('a file that crashes before or after its tests is a failure', async () => {
  const counts = await runFiles(
    `throw new Error('at load');`,
    `test('good', () => {}); setTimeout(() => { throw new Error('later'); }, 20);`,
  );
  assert.equal(counts.passed, 1);
  assert.ok(counts.failed >= 2, JSON.stringify(counts));
});

test('a file that ends by itself in the middle is a failure', async () => {
  const counts = await runFiles(
    `test('a', () => {}); test('b', () => process.exit(0)); test('c', () => {});`,
  );
  assert.ok(counts.failed >= 1, JSON.stringify(counts));
});

test('a file without a test is a failure', async () => {
  const counts = await runFiles(`export {};`);
  assert.deepEqual([counts.passed, counts.failed], [0, 1]);
});

test('a failing before hook fails what it stands before', async () => {
  const counts = await runFiles(
    `before(() => { throw new Error('no broker'); }); test('a', () => {}); test('b', () => {});`,
  );
  assert.equal(counts.passed, 0);
  assert.ok(counts.failed >= 1, JSON.stringify(counts));
});

test('a file that hangs is ended at its bound and is a failure', async () => {
  const beganMs = performance.now();
  const counts = await runFiles(
    `test('hangs', () => new Promise(() => { setInterval(() => {}, 1000); }));`,
    `test('leaves something running', () => { setInterval(() => {}, 1000); });`,
  );
  assert.equal(counts.passed, 1);
  assert.ok(counts.failed >= 2, JSON.stringify(counts));
  // The bound of a file is 5 s; that of the whole run, which would end it too, is 60 s.
  assert.ok(performance.now() - beganMs < 50_000, 'the files were not ended at their own bound');
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends the file that runs, the files that wait, and the broker`, async () => {
    const pidFile = join(directory, `${signal}.pid`);
    const files = [
      writeFile(
        `import { writeFileSync } from 'node:fs';
        test('hangs', () => new Promise(() => {
          setInterval(() => {}, 1000);
          writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));
        }));`,
      ),
      writeFile(`test('never runs', () => {});`),
    ];
    const child = spawn(process.execPath, ['--import', 'tsx', SAMPLE, ...files], {
      // The bound of a file is far beyond this test's own.
      env: { ...sampleEnv(), SAMPLE_FILE_TIMEOUT_MS: '600000' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const closed = once(child, 'close');
    await until('the file runs', () => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '');
    const pids = [readFileSync(pidFile, 'utf8'), /broker (\d+)/.exec(stderr)?.[1]].map(Number);
    assert.deepEqual(pids.map(isRunning), [true, true]);
    const stoppedMs = performance.now();
    child.kill(signal);
    await closed;
    assert.ok(performance.now() - stoppedMs < 30_000, 'the run did not end soon after the signal');
    assert.deepEqual(pids.map(isRunning), [false, false]);
    const counts = JSON.parse(stdout) as Counts;
    assert.equal(counts.passed, 0);
    assert.ok(counts.failed >= 1, stdout);
  });
}
