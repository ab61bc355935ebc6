import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ManagedProcess } from '../process.js';
import { Stack, startStack } from '../stack.js';
import type { SupervisorEvent } from '../supervisor.js';

const kept = mkdtempSync(join(tmpdir(), 'imscope-stack-'));
after(() => rmSync(kept, { recursive: true, force: true }));

const OPTIONS = { name: 'test', mode: 'source' } as const;

test('parts are stopped in reverse order of their start, once', async () => {
  const stack = new Stack(OPTIONS);
  const stopped: string[] = [];
  for (const name of ['broker', 'store', 'client'])
    stack.onEnd(name, async () => void stopped.push(`${name} itself`));
  await stack.end((name) => stopped.push(name));
  await stack.end((name) => stopped.push(name));
  assert.deepEqual(stopped, ['client itself', 'client', 'store itself', 'store', 'broker itself', 'broker']);
});

test('a part that cannot be stopped does not keep the others from it, and its error is thrown', async () => {
  const stack = new Stack(OPTIONS);
  const stopped: string[] = [];
  stack.onEnd('first', async () => void stopped.push('first'));
  stack.onEnd('second', async () => {
    throw new Error('second does not stop');
  });
  stack.onEnd('third', async () => void stopped.push('third'));
  await assert.rejects(stack.end(), /second does not stop/);
  assert.deepEqual(stopped, ['third', 'first']);
  assert.equal(existsSync(stack.directory), false);
});

test('a start that fails stops what was started before it', async () => {
  const spawned: ManagedProcess[] = [];
  let directory = '';
  await assert.rejects(
    startStack({ ...OPTIONS, onSpawn: (process) => spawned.push(process) }, async (stack) => {
      ({ directory } = stack);
      const store = await stack.startStore();
      assert.ok(spawned[0]?.isRunning());
      assert.equal(store.url, `http://127.0.0.1:${stack.env('store')['STORE_PORT']}`);
      await stack.startQuery({ env: { QUERY_TIMEOUT_MS: 'soon' } });
    }),
    /QUERY_TIMEOUT_MS/,
  );
  assert.deepEqual(
    spawned.map(({ name }) => name),
    ['store', 'query'],
  );
  assert.ok(spawned.every((process) => !process.isRunning()));
  assert.equal(existsSync(directory), false);
});

test('a given directory holds data, logs and credentials, and is kept', async () => {
  const events: SupervisorEvent[] = [];
  const stack = new Stack({ ...OPTIONS, directory: kept, onSupervisorEvent: (event) => events.push(event) });
  try {
    const { adminPort } = await stack.startStore();
    const first = stack.process('store');
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    while (!events.some(({ kind }) => kind === 'restarted'))
      await new Promise((done) => setTimeout(done, 20));
    assert.notEqual(stack.process('store').pid, first.pid);
    assert.ok((await fetch(`http://127.0.0.1:${adminPort}/ready`)).ok, 'it answers on its admin port again');
  } finally {
    await stack.end();
  }
  assert.equal(stack.process('store').isRunning(), false);
  for (const path of ['store', join('logs', 'store.log'), join('credentials', 'secrets.json')])
    assert.ok(existsSync(join(kept, path)), path);
});

test('nothing is started once the stack has ended, or before what it needs', async () => {
  const stack = new Stack(OPTIONS);
  await assert.rejects(stack.startAggregator(), /no broker/);
  await assert.rejects(stack.startQuery(), /no store/);
  await stack.end();
  await assert.rejects(stack.startStore(), /has ended/);
});
