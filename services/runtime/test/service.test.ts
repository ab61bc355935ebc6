import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SAMPLE = fileURLToPath(new URL('./sample-service.ts', import.meta.url));

async function run(
  environment: Record<string, string>,
  args: string[] = [],
  onStarted?: (pid: number, output: string) => void,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['--conditions=imscope-source', '--import', 'tsx', SAMPLE, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let told = false;
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
    if (!told && output.includes('"msg":"started"')) {
      told = true;
      onStarted?.(child.pid ?? 0, output);
    }
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

test('a service stops cleanly on SIGTERM, after its own stop has run', async () => {
  const { code, output } = await run({ NAME: 'x' }, [], (pid) => process.kill(pid, 'SIGTERM'));
  assert.equal(code, 0);
  assert.match(output, /sample stopped/);
  assert.match(output, /"msg":"stopped"/);
});

test('wrong settings end with code 2, and each of them is named', async () => {
  const { code, output } = await run({ ADMIN_PORT: '-5' });
  assert.equal(code, 2);
  assert.match(output, /ADMIN_PORT is "-5"/);
  assert.match(output, /NAME is not set/);
});

test('--check-config shows the settings in force, hides secrets, and starts nothing', async () => {
  const { code, output } = await run({ NAME: 'x', PASSWORD: 'hunter2hunter2' }, ['--check-config']);
  assert.equal(code, 0);
  assert.match(output, /NAME=x/);
  assert.match(output, /PASSWORD=set, hidden/);
  assert.doesNotMatch(output, /hunter2|started/);
});

test('a failed start and a later fatal error both end with code 1', async () => {
  assert.equal((await run({ NAME: 'fails-at-start' })).code, 1);
  const later = await run({ NAME: 'fails-later' });
  assert.equal(later.code, 1);
  assert.match(later.output, /sample stopped/);
});

test('unknown arguments end with code 2 and start nothing', async () => {
  for (const args of [['foo'], ['--chek-config'], ['--check-config', 'foo'], ['']]) {
    const { code, output } = await run({ NAME: 'x' }, args);
    assert.equal(code, 2, output);
    assert.match(output, /^sample: .*give one of check, --check-config, or nothing to run the service\n$/);
  }
});
