/*
 * ./scripts/start after packages and build: signals, exit codes and the last sweep. Exit codes: 0 every record sent
 * is stored once, 1 not so or something failed, 130 ended at once by a second Ctrl-C.
 */
import { join } from 'node:path';
import pc from 'picocolors';
import { findRemembered, forgetProcess, rememberProcess } from '../stack/leftovers.js';
import type { ManagedProcess } from '../stack/process.js';
import type { SupervisorEvent } from '../stack/supervisor.js';
import { runDemo, STEPS } from './demo.js';
import { readOptions } from './options.js';
import { createScreen } from './screen.js';

const options = readOptions(process.argv.slice(2));
const screen = createScreen(process.stdout, STEPS);
const stop = new AbortController();
const children = new Set<ManagedProcess>();
let failed = false;

function onSignal(): void {
  if (!stop.signal.aborted) {
    screen.print(pc.dim('stopping; once more ends everything at once'));
    stop.abort(new Error('stopped'));
    return;
  }
  for (const child of children) void child.kill();
  process.exit(130);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);

function onEvent(event: SupervisorEvent): void {
  switch (event.kind) {
    case 'died':
      screen.print(pc.yellow(`${event.name} died (${event.exit}); started again in ${event.pauseMs} ms`));
      break;
    case 'restarted':
      screen.print(
        pc.green(`${event.name} is ready again, ${(event.afterMs / 1000).toFixed(1)} s after it died`),
      );
      break;
    case 'gave_up':
      failed = true;
      screen.print(pc.red(`${event.name} dies again and again; its last words:\n${event.lastLines}`));
      stop.abort(new Error(`${event.name} cannot be kept running`));
      break;
  }
}

const runDir = join(options.data, 'run');
const other = findRemembered(runDir, 'start');
if (other !== undefined) {
  process.stderr.write(
    `imscope runs already on this data (process ${other.pid}): stop it with Ctrl-C, or give --data and other ports\n`,
  );
  process.exit(1);
}
rememberProcess(runDir, 'start', process.pid, join('start-demo', 'main.ts'));
try {
  const even = await runDemo({ options, screen, stopping: stop.signal, children, onEvent });
  process.exitCode = even && !failed ? 0 : 1;
} catch (error) {
  if (error !== stop.signal.reason) {
    screen.print(pc.red(error instanceof Error ? error.message : String(error)));
  }
  process.exitCode = error === stop.signal.reason && !failed ? 0 : 1;
} finally {
  // Whatever a start that was cut off had just begun.
  await Promise.all(Array.from(children, (child) => child.kill()));
  forgetProcess(runDir, 'start');
}
process.exit();
