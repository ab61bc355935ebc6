/*
 * Runs test files in processes of their own, a few at a time, and reports the result of each test. The output of a file is
 * kept up to a bound, and shown when one of its tests fails.
 */
import { setMaxListeners } from 'node:events';
import { run } from 'node:test';
import type { Failure, Tally } from './tally.js';

export type TestRunOptions = {
  readonly files: readonly string[];
  readonly tally: Tally;
  /** Files at once. */
  readonly concurrency: number;
  readonly fileTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly onFailure: (failure: Failure, output: string) => void;
  /** A test has ended. */
  readonly onProgress: (file: string) => void;
};

const OUTPUT_CHARACTERS_MAX = 6_000;

/** @returns when every file has ended, or the signal ended them */
export async function runTestFiles(options: TestRunOptions): Promise<void> {
  const { tally } = options;
  const outputs = new Map<string, string>();
  const keep = ({ file = '', message }: { file?: string | undefined; message: string }): void => {
    outputs.set(file, `${outputs.get(file) ?? ''}${message}`.slice(-OUTPUT_CHARACTERS_MAX));
  };
  // One listener for each file that waits.
  setMaxListeners(options.files.length + 10, options.signal);
  const stream = run({
    files: [...options.files],
    concurrency: options.concurrency,
    timeout: options.fileTimeoutMs,
    execArgv: ['--import', new URL(`end-hanging-file.ts?ms=${options.fileTimeoutMs}`, import.meta.url).href],
    signal: options.signal,
  });
  stream.on('test:enqueue', (event) => tally.enqueued(event));
  stream.on('test:stdout', keep);
  stream.on('test:stderr', keep);
  stream.on('test:pass', (event) => {
    tally.passed(event);
    options.onProgress(event.file ?? event.name);
  });
  stream.on('test:fail', (event) => {
    const failure = tally.failed(event);
    if (failure !== undefined) options.onFailure(failure, outputs.get(failure.file) ?? '');
    options.onProgress(event.file ?? event.name);
  });
  await new Promise<void>((resolve, reject) => {
    stream.once('error', reject);
    stream.once('end', resolve);
    stream.resume();
  });
}
