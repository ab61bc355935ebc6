/*
 * Runs the test files named on the command line, beside a process in place of the broker, and prints the counts as
 * JSON. Node's runner cannot run within itself, so the test starts this as a process.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess } from '../../stack/process.js';
import { runTestFiles } from '../run-test-files.js';
import { stopOnSignals } from '../stop-signals.js';
import { createTally } from '../tally.js';
import { withBroker } from '../with-broker.js';

const files = process.argv.slice(2);
const tally = createTally();

async function startIdle() {
  const idle = await startProcess({
    name: 'broker',
    command: process.execPath,
    args: ['-e', 'setInterval(() => {}, 1000)'],
    logFile: join(tmpdir(), `imscope-test-run-${process.pid}.log`),
  });
  process.stderr.write(`broker ${idle.pid}\n`);
  return { process: () => idle, stop: () => idle.stop() };
}

await withBroker({
  start: startIdle,
  stopping: AbortSignal.any([stopOnSignals(), AbortSignal.timeout(60_000)]),
  run: (_broker, signal) =>
    runTestFiles({
      files,
      tally,
      concurrency: 1,
      fileTimeoutMs: Number(process.env['SAMPLE_FILE_TIMEOUT_MS'] ?? 5_000),
      signal,
      onFailure: () => undefined,
      onProgress: () => undefined,
    }),
});
const failures = tally.finish(files);
process.stdout.write(JSON.stringify({ ...tally.counts(), reasons: failures.map(({ reason }) => reason) }));
process.exit();
