import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort, isPortFree } from '../ports.js';
import { boundLog, type ManagedProcess, startProcess, waitUntil } from '../process.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-process-'));
after(() => rmSync(directory, { recursive: true, force: true }));

let count = 0;

/** Runs a line of JavaScript as a child. */
async function startScript(script: string): Promise<ManagedProcess> {
  const name = `child-${++count}`;
  const logFile = join(directory, `${name}.log`);
  return startProcess({ name, command: process.execPath, args: ['-e', script], logFile });
}

/** For `waitUntil`: what is missing until the child has printed a word. */
function printed(child: ManagedProcess, word: string): () => Promise<string | undefined> {
  return async () =>
    readFileSync(child.logFile, 'utf8').includes(word) ? undefined : `${word} is not printed`;
}

test('stop sends SIGTERM and waits for the end, and is safe twice', async () => {
  const child = await startScript(
    `let asked = 0; process.on('SIGTERM', () => { if (++asked > 1) process.exit(9); setTimeout(() => process.exit(3), 100); }); setInterval(() => {}, 1000); console.log('up');`,
  );
  await waitUntil(child, printed(child, 'up'), 10_000);
  const exits = await Promise.all([child.stop(), child.stop()]);
  assert.deepEqual(exits, [
    { code: 3, signal: null },
    { code: 3, signal: null },
  ]);
  assert.equal(child.isRunning(), false);
});

test('a child that does not stop in time is killed', async () => {
  const child = await startScript(
    `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up');`,
  );
  await waitUntil(child, printed(child, 'up'), 10_000);
  assert.deepEqual(await child.stop(50), { code: null, signal: 'SIGKILL' });
});

test('the error of a child that ends before it is ready has its exit and its last log lines', async () => {
  const child = await startScript(`console.error('no such database'); process.exit(4);`);
  await assert.rejects(
    waitUntil(child, async () => 'no answer', 10_000),
    (error: Error) => /ended with code 4/.test(error.message) && /no such database/.test(error.message),
  );
});

test('the error of a child that is never ready says what is missing', async () => {
  const child = await startScript(`setInterval(() => {}, 1000);`);
  await assert.rejects(
    waitUntil(child, async () => 'kafka does not answer', 200),
    /not ready after 0.2 s: kafka does not answer/,
  );
  await child.kill();
});

test('nothing of our own environment reaches a child but what every program needs', async () => {
  process.env['IMSCOPE_STRAY'] = 'stray';
  const child = await startScript(
    `console.log(JSON.stringify([process.env.IMSCOPE_STRAY ?? null, typeof process.env.PATH]));`,
  );
  await child.exited;
  delete process.env['IMSCOPE_STRAY'];
  assert.equal(readFileSync(child.logFile, 'utf8').trim(), '[null,"string"]');
});

test('children end with their parent, even when it is killed', async () => {
  const logFile = join(directory, 'grandchild.log');
  const parent = join(directory, 'parent.mts');
  const stack = new URL('../process.ts', import.meta.url).href;
  writeFileSync(
    parent,
    `import { startProcess } from ${JSON.stringify(stack)};
     const child = await startProcess({ name: 'grandchild', command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'], logFile: ${JSON.stringify(logFile)} });
     console.log(child.pid);
     process.kill(process.pid, 'SIGKILL');`,
  );
  const run = promisify(execFile)(process.execPath, ['--import', 'tsx', parent]);
  const output: string = await run.then(
    ({ stdout }) => stdout,
    (error: unknown) => (error instanceof Error && 'stdout' in error ? String(error.stdout) : ''),
  );
  const pid = Number(output.trim());
  assert.ok(pid > 0, `the parent printed "${output}"`);
  const isGone = async (): Promise<boolean> => {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=', '-p', String(pid)]).catch(() => ({
      stdout: '',
    }));
    return stdout.trim() === '' || stdout.startsWith('Z');
  };
  const deadline = Date.now() + 10_000;
  while (!(await isGone())) assert.ok(Date.now() < deadline, `process ${pid} outlives its parent`);
});

test('a child whose parent is killed before the parent-death signal is set ends too', async () => {
  const marker = `imscope-orphan-${process.pid}`;
  // Sets the signal only when the parent is gone: what a busy machine does now and then.
  const programs = join(directory, 'late-setpriv');
  mkdirSync(programs);
  const { stdout: setpriv } = await promisify(execFile)('which', ['setpriv']);
  writeFileSync(
    join(programs, 'setpriv'),
    `#!/bin/sh
     [ "$2" = keep ] || while [ "$(ps -o ppid= -p $$ | tr -d ' ')" = "$PPID" ]; do :; done
     exec ${setpriv.trim()} "$@"`,
    { mode: 0o755 },
  );
  const parent = join(directory, 'killed-parent.mts');
  const stack = new URL('../process.ts', import.meta.url).href;
  writeFileSync(
    parent,
    `import { startProcess } from ${JSON.stringify(stack)};
     await startProcess({
       name: 'orphan', command: process.execPath, logFile: ${JSON.stringify(join(directory, 'orphan.log'))},
       args: ['-e', 'setInterval(() => {}, 1000)', '--', ${JSON.stringify(marker)}],
     });
     process.kill(process.pid, 'SIGKILL');`,
  );
  const env = { ...process.env, PATH: `${programs}:${process.env['PATH'] ?? ''}` };
  const [, signal] = await once(spawn(process.execPath, ['--import', 'tsx', parent], { env }), 'exit');
  assert.equal(signal, 'SIGKILL');
  const orphans = async (): Promise<string[]> => {
    const { stdout } = await promisify(execFile)('ps', ['-ww', '-eo', 'stat=,pid=,args=']);
    return stdout.split('\n').filter((line) => line.includes(marker) && !line.startsWith('Z'));
  };
  const deadline = Date.now() + 30_000;
  while ((await orphans()).length > 0)
    assert.ok(Date.now() < deadline, `still running: ${(await orphans()).join('; ')}`);
});

test('a log at its bound is kept once and starts empty again', () => {
  const file = join(directory, 'large.log');
  writeFileSync(file, Buffer.alloc(20_000_000, 'x'));
  boundLog(file);
  assert.equal(statSync(file).size, 0);
  assert.equal(statSync(`${file}.1`).size, 20_000_000);
  boundLog(file);
  assert.equal(statSync(`${file}.1`).size, 20_000_000);
});

test('free ports are free, differ, and a taken one is seen', async () => {
  const ports = await Promise.all(Array.from({ length: 100 }, freePort));
  assert.equal(new Set(ports).size, 100);
  const [port = 0] = ports;
  const server = createServer().listen(port, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  assert.equal(await isPortFree(port), false);
  await new Promise((resolve) => server.close(resolve));
  assert.equal(await isPortFree(port), true);
});

test('processes side by side give out different ports, though nobody listens on them', async () => {
  const ports = fileURLToPath(new URL('../ports.ts', import.meta.url));
  const script = `import { freePort } from ${JSON.stringify(ports)};
    const given = [];
    for (let count = 0; count < 300; count++) given.push(await freePort());
    console.log(JSON.stringify(given));
    process.stdin.resume();`;
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  // Each lives until all have answered.
  const answers = await Promise.all(
    children.map(async ({ stdout }) => String((await once(stdout, 'data'))[0])),
  );
  for (const child of children) child.stdin.end();
  await Promise.all(children.map(async (child) => once(child, 'exit')));
  const given = answers.flatMap((answer) => JSON.parse(answer) as number[]);
  assert.equal(given.length, 1_200);
  assert.equal(new Set(given).size, 1_200);
});
