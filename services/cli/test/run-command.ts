/* Runs the `imscope` command from its sources as a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
export const WRITE_TOKEN = 'write-token-of-a-test-0001';
export const READ_TOKEN = 'read-token-of-a-test-00001';

export type CommandOptions = {
  readonly input?: string | Buffer;
  readonly environment?: Readonly<Record<string, string>>;
};

export function startCommand(args: readonly string[], { input, environment }: CommandOptions = {}) {
  const child = spawn(process.execPath, ['--conditions=imscope-source', '--import', 'tsx', MAIN, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NO_COLOR: '1',
      IMSCOPE_WRITE_TOKEN: WRITE_TOKEN,
      IMSCOPE_READ_TOKEN: READ_TOKEN,
      ...environment,
    },
  });
  if (input !== undefined) child.stdin.end(input);
  return child;
}

export async function runCommand(args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  const child = startCommand(args, { input: '', ...options });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}
