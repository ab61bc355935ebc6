/* The `imscope` process: signals in, exit code out. The only file that touches the process. */
import { run } from './run.js';

const stop = new AbortController();
// The first signal ends the command with its summary; a second one ends it at once.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
// A closed pipe (`imscope top | head`) is not a failure.
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
