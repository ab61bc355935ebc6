import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findRemembered, rememberProcess, stopLeftovers } from '../leftovers.js';
import { type ManagedProcess, startProcess } from '../process.js';
import { supervise, type SupervisorEvent } from '../supervisor.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-supervisor-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const IDLE = 'setInterval(() => {}, 1000)';

function startScript(name: string, script: string): Promise<ManagedProcess> {
  const logFile = join(directory, `${name}.log`);
  return startProcess({ name, command: process.execPath, args: ['-e', script], logFile });
}

async function startNothing(): Promise<ManagedProcess> {
  throw new Error('settings are wrong');
}

/** Collects events; `until` resolves with the first of a kind. */
function eventLog(): {
  onEvent: (event: SupervisorEvent) => void;
  until: (kind: SupervisorEvent['kind']) => Promise<SupervisorEvent>;
  kinds: () => string[];
} {
  const events: SupervisorEvent[] = [];
  const waiting: (() => void)[] = [];
  return {
    onEvent: (event) => {
      events.push(event);
      for (const check of waiting) check();
    },
    until: (kind) =>
      new Promise((resolve) => {
        const check = (): void => {
          const found = events.find((event) => event.kind === kind);
          if (found !== undefined) resolve(found);
        };
        waiting.push(check);
        check();
      }),
    kinds: () => events.map((event) => event.kind),
  };
}

test('a process that is killed is started anew, and said', async () => {
  const log = eventLog();
  const supervised = await supervise({
    name: 'idle',
    start: () => startScript('idle', IDLE),
    onEvent: log.onEvent,
    pauseMs: 1,
  });
  const first = supervised.current().pid;
  process.kill(first, 'SIGKILL');
  await log.until('restarted');
  assert.notEqual(supervised.current().pid, first);
  assert.deepEqual(log.kinds(), ['died', 'restarted']);
  await supervised.stop();
  assert.equal(supervised.current().isRunning(), false);
});

test('a process that is stopped by us is not started anew', async () => {
  const log = eventLog();
  const supervised = await supervise({
    name: 'idle',
    start: () => startScript('idle', IDLE),
    onEvent: log.onEvent,
  });
  await Promise.all([supervised.stop(), supervised.stop()]);
  assert.deepEqual(log.kinds(), []);
});

test('a process that dies again and again is given up, with its last words', async () => {
  const log = eventLog();
  const supervised = await supervise({
    name: 'broken',
    start: () => startScript('broken', `console.log('cannot read the disk'); process.exit(1)`),
    onEvent: log.onEvent,
    deathsMax: 2,
    pauseMs: 1,
  });
  const event = await log.until('gave_up');
  assert.match(event.kind === 'gave_up' ? event.lastLines : '', /cannot read the disk/);
  assert.deepEqual(log.kinds(), ['died', 'restarted', 'died', 'restarted', 'gave_up']);
  await supervised.stop();
});

test('a start that fails after a death counts as a death', async () => {
  const log = eventLog();
  let starts = 0;
  const supervised = await supervise({
    name: 'idle',
    start: async () => {
      if (++starts === 2) throw new Error('the port is taken');
      return startScript('idle', IDLE);
    },
    onEvent: log.onEvent,
    pauseMs: 1,
  });
  process.kill(supervised.current().pid, 'SIGKILL');
  await log.until('restarted');
  assert.deepEqual(log.kinds(), ['died', 'died', 'restarted']);
  await supervised.stop();
});

test('a first start that fails is thrown, not tried again', async () => {
  await assert.rejects(
    supervise({ name: 'wrong', start: startNothing, onEvent: () => undefined }),
    /settings are wrong/,
  );
});

test('what an earlier start left running is found by its command line and stopped', async () => {
  const runDir = join(directory, 'run');
  const ours = await startScript('ours', `/* imscope-leftover */ ${IDLE}`);
  const foreign = await startScript('foreign', IDLE);
  rememberProcess(runDir, 'ours', ours.pid, 'imscope-leftover');
  rememberProcess(runDir, 'foreign', foreign.pid, 'imscope-leftover');
  rememberProcess(runDir, 'ourselves', process.pid, 'node');
  assert.deepEqual(await stopLeftovers(runDir), [{ name: 'ours', pid: ours.pid }]);
  assert.deepEqual(await ours.exited, { code: null, signal: 'SIGTERM' });
  assert.equal(foreign.isRunning(), true);
  assert.equal(findRemembered(runDir, 'ours'), undefined);
  await foreign.kill();
});
