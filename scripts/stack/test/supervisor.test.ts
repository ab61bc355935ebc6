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

/** Collects events; `until` resolves when there are `count` of a kind. */
function eventLog(): {
  readonly events: readonly SupervisorEvent[];
  onEvent: (event: SupervisorEvent) => void;
  until: (kind: SupervisorEvent['kind'], count?: number) => Promise<void>;
  kinds: () => string[];
} {
  const events: SupervisorEvent[] = [];
  const waiting: (() => void)[] = [];
  return {
    events,
    onEvent: (event) => {
      events.push(event);
      for (const check of waiting) check();
    },
    until: (kind, count = 1) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (events.filter((event) => event.kind === kind).length >= count) resolve();
        };
        waiting.push(check);
        check();
      }),
    kinds: () => events.map((event) => event.kind),
  };
}

test('a process that is killed is restarted, with an event for each', async () => {
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

test('a process that is stopped on request is not restarted', async () => {
  const log = eventLog();
  const supervised = await supervise({
    name: 'idle',
    start: () => startScript('idle', IDLE),
    onEvent: log.onEvent,
  });
  await Promise.all([supervised.stop(), supervised.stop()]);
  assert.deepEqual(log.kinds(), []);
});

test('a process that was ready is restarted however often it is killed, after growing pauses', async () => {
  const log = eventLog();
  const supervised = await supervise({
    name: 'idle',
    start: () => startScript('idle', IDLE),
    onEvent: log.onEvent,
    pauseMs: 1,
    pauseMsMax: 16,
  });
  for (let kills = 1; kills <= 8; kills++) {
    process.kill(supervised.current().pid, 'SIGKILL');
    await log.until('restarted', kills);
  }
  const pauses = log.events.flatMap((event) => (event.kind === 'died' ? [event.pauseMs] : []));
  assert.deepEqual(pauses, [1, 2, 4, 8, 16, 16, 16, 16]);
  assert.equal(supervised.current().isRunning(), true);
  await supervised.stop();
});

test('a process that stayed ready long enough is restarted after the first pause again', async () => {
  const log = eventLog();
  const supervised = await supervise({
    name: 'idle',
    start: () => startScript('idle', IDLE),
    onEvent: log.onEvent,
    pauseMs: 1,
    steadyMs: 0,
  });
  for (let kills = 1; kills <= 3; kills++) {
    process.kill(supervised.current().pid, 'SIGKILL');
    await log.until('restarted', kills);
  }
  assert.deepEqual(
    log.events.flatMap((event) => (event.kind === 'died' ? [event.pauseMs] : [])),
    [1, 1, 1],
  );
  await supervised.stop();
});

test('a process that does not become ready is started again after growing pauses, with the reason', async () => {
  const log = eventLog();
  let starts = 0;
  const supervised = await supervise({
    name: 'idle',
    start: async () => {
      if (++starts > 1 && starts < 8) throw new Error('the port is in use');
      return startScript('idle', IDLE);
    },
    onEvent: log.onEvent,
    pauseMs: 1,
    pauseMsMax: 1,
    startPauseMsMax: 16,
  });
  process.kill(supervised.current().pid, 'SIGKILL');
  await log.until('restarted');
  const failed = log.events.flatMap((event) => (event.kind === 'start_failed' ? [event] : []));
  assert.deepEqual(
    failed.map(({ failures, pauseMs }) => [failures, pauseMs]),
    [
      [1, 2],
      [2, 4],
      [3, 8],
      [4, 16],
      [5, 16],
      [6, 16],
    ],
  );
  assert.ok(failed.every(({ reason }) => reason === 'the port is in use'));
  assert.equal(supervised.current().isRunning(), true);
  await supervised.stop();
});

test('a stop ends the wait for the next start', async () => {
  const log = eventLog();
  const supervised = await supervise({
    name: 'idle',
    start: () => startScript('idle', IDLE),
    onEvent: log.onEvent,
    pauseMs: 3_600_000,
    pauseMsMax: 3_600_000,
  });
  process.kill(supervised.current().pid, 'SIGKILL');
  await log.until('died');
  await supervised.stop();
  assert.deepEqual(log.kinds(), ['died']);
});

test('a process whose start was under way at the stop is stopped', async () => {
  const log = eventLog();
  const starting = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  let late: ManagedProcess | undefined;
  let starts = 0;
  const supervised = await supervise({
    name: 'idle',
    start: async () => {
      if (++starts === 1) return startScript('idle', IDLE);
      starting.resolve();
      await goOn.promise;
      return (late = await startScript('late', IDLE));
    },
    onEvent: log.onEvent,
    pauseMs: 1,
  });
  process.kill(supervised.current().pid, 'SIGKILL');
  await starting.promise;
  const stopped = supervised.stop();
  goOn.resolve();
  await stopped;
  assert.equal(late?.isRunning(), false);
  assert.deepEqual(log.kinds(), ['died']);
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
