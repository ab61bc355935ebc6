/* The `imscope` process: signals in, exit code out. The only file that touches the process. */
import { run } from './run.js';

const stop = new AbortController();
// The first one ends the command in order, with its summary; a second one at once.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
// A reader that has gone (`imscope top | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  stopping: stop.signal,
  stop: () => stop.abort(),
});
