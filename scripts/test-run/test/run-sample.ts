/*
 * Runs the test files named on the command line and prints the counts as JSON: node's runner cannot run within
 * itself, so the test of ours starts this as a process.
 */
import { runTestFiles } from '../run-test-files.js';
import { createTally } from '../tally.js';

const files = process.argv.slice(2);
const tally = createTally();
await runTestFiles({
  files,
  tally,
  concurrency: 1,
  fileTimeoutMs: 5_000,
  signal: AbortSignal.timeout(60_000),
  onFailure: () => undefined,
  onProgress: () => undefined,
});
const failures = tally.finish(files);
process.stdout.write(JSON.stringify({ ...tally.counts(), reasons: failures.map(({ reason }) => reason) }));
process.exit();
