/*
 * ./scripts/start after packages and build: signals, exit codes, and the end of processes that are left. Exit codes: 0 every record sent
 * is stored once and every service runs, 2 the command line is wrong, 130 ended at once by a second Ctrl-C, 1 otherwise.
 */
import { join } from 'node:path';
import pc from 'picocolors';
import { findRemembered, forgetProcess, rememberProcess } from '../stack/leftovers.js';
import type { ManagedProcess } from '../stack/process.js';
import type { SupervisorEvent } from '../stack/supervisor.js';
import { runDemo, STEPS } from './demo.js';
import { readDemoOptions } from './options.js';
import { createScreen, seconds } from './screen.js';

const options = readDemoOptions(process.argv.slice(2));
const screen = createScreen(process.stdout, STEPS);
const stop = new AbortController();
const children = new Set<ManagedProcess>();
/** Services that could not be restarted, by name. */
const down = new Set<string>();

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
      screen.print(
        pc.yellow(`${event.name} died (${event.exit}); it is restarted in ${seconds(event.pauseMs)}`),
      );
      break;
    case 'start_failed':
      down.add(event.name);
      screen.print(
        pc.red(
          `${event.name} did not become ready (start ${event.failures}); the next start is in ` +
            `${seconds(event.pauseMs)}, the others keep running:\n${event.reason}`,
        ),
      );
      break;
    case 'restarted':
      down.delete(event.name);
      screen.print(pc.green(`${event.name} is ready again, ${seconds(event.afterMs)} after it died`));
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
  for (const name of down) screen.print(pc.red(`${name} was not running at the end`));
  process.exitCode = even && down.size === 0 ? 0 : 1;
} catch (error) {
  if (error !== stop.signal.reason) {
    screen.print(pc.red(error instanceof Error ? error.message : String(error)));
  }
  process.exitCode = error === stop.signal.reason ? 0 : 1;
} finally {
  // What an interrupted start had just begun.
  await Promise.all(Array.from(children, (child) => child.kill()));
  forgetProcess(runDir, 'start');
}
process.exit();
