/* Runs the `imscope` command in this process with separate streams, because a new process takes a second to start. */
import { Readable } from 'node:stream';
import { run } from '../src/run.js';

export type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

export const WRITE_TOKEN = 'write-token-of-a-test-0001';
export const READ_TOKEN = 'read-token-of-a-test-00001';

/** The text written so far, and the waiting for more of it. */
class Written {
  text = '';
  readonly #waiting: { readonly part: string; readonly resolve: () => void }[] = [];

  write(text: string): void {
    this.text += text;
    for (const { part, resolve } of this.#waiting) if (this.text.includes(part)) resolve();
  }

  /** Resolves when this text was written. */
  async has(part: string): Promise<void> {
    if (this.text.includes(part)) return;
    await new Promise<void>((resolve) => this.#waiting.push({ part, resolve }));
  }
}

export type RunningCommand = {
  readonly stdout: Written;
  readonly stderr: Written;
  readonly ended: Promise<Ended>;
  /** Acts as the first Ctrl-C. */
  interrupt(): void;
};

/** @param stdin input of the command; empty by default @param environment by default tokens for tests */
export function startCommand(
  args: readonly string[],
  stdin: Readable = Readable.from([]),
  environment: Readonly<Record<string, string>> = {
    IMSCOPE_WRITE_TOKEN: WRITE_TOKEN,
    IMSCOPE_READ_TOKEN: READ_TOKEN,
  },
): RunningCommand {
  const stdout = new Written();
  const stderr = new Written();
  const stop = new AbortController();
  const ended = run(args, {
    stdin,
    stdout,
    stderr,
    environment,
    stopping: stop.signal,
    stop: () => stop.abort(),
  }).then((code) => ({ code, stdout: stdout.text, stderr: stderr.text }));
  return { stdout, stderr, ended, interrupt: () => stop.abort() };
}

export async function runCommand(args: readonly string[], stdin?: Readable): Promise<Ended> {
  return startCommand(args, stdin).ended;
}
