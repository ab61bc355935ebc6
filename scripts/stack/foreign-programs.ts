/*
 * Programs of other languages that tests run: one table with exact versions. Each language's own package manager installs
 * them once for this user into a cache outside the checkout, `$XDG_CACHE_HOME/imscope` or `~/.cache/imscope`.
 */
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { REPO_ROOT } from './repo-root.js';

export type ForeignProgram = {
  readonly name: string;
  readonly registry: 'python';
  readonly version: string;
  /** What `python -m` runs. */
  readonly module: string;
};

/**
 * Exact versions of everything that a program needs are in `foreign-programs/<name>.txt`, a requirements file of pip.
 */
export const FOREIGN_PROGRAMS = {
  schemathesis: {
    name: 'schemathesis',
    registry: 'python',
    version: '4.32.5',
    module: 'schemathesis.cli',
  },
} as const satisfies Readonly<Record<string, ForeignProgram>>;

/** How a program is started. */
export type ForeignCommand = { readonly command: string; readonly args: readonly string[] };

const LOCKS_DIR = join(REPO_ROOT, 'scripts', 'stack', 'foreign-programs');
const INSTALL_TIMEOUT_MS = 600_000;
const OUTPUT_BYTES_MAX = 10_000_000;
const SHOWN_LINES = 15;

const run = promisify(execFile);

/**
 * Installs a program where the cache does not have it.
 * @param onInstall called before an installation, which takes seconds to minutes
 * @throws Error with the package manager's last lines
 */
export async function provideForeignProgram(
  program: ForeignProgram,
  onInstall: (text: string) => void = () => undefined,
): Promise<ForeignCommand> {
  const lockFile = join(LOCKS_DIR, `${program.name}.txt`);
  const dir = await cacheDir(program, await readFile(lockFile, 'utf8'));
  if (!existsSync(dir)) {
    onInstall(`installing ${program.name} ${program.version} into ${dir}, once; this may take minutes`);
    await installPython(lockFile, dir);
  }
  // Not the scripts in bin: they name the directory of the installation, which was renamed afterwards.
  return { command: join(dir, 'bin', 'python'), args: ['-m', program.module] };
}

/** Another lock file or another interpreter is another directory. */
async function cacheDir({ name, version }: ForeignProgram, lock: string): Promise<string> {
  const root = process.env['XDG_CACHE_HOME'] ?? '';
  const { stdout } = await run('python3', ['-c', 'import sys; print(sys.version, sys.base_prefix)']);
  const digest = createHash('sha256').update(lock).update(stdout).digest('hex').slice(0, 12);
  return join(root === '' ? join(homedir(), '.cache') : root, 'imscope', `${name}-${version}-${digest}`);
}

/** Several processes may install at once, each in its own directory: the first to finish is kept. */
async function installPython(lockFile: string, dir: string): Promise<void> {
  const building = `${dir}.${randomUUID()}`;
  const options = { timeout: INSTALL_TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX };
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check'];
  try {
    await mkdir(building, { recursive: true });
    await run('python3', ['-m', 'venv', building], options);
    await run(join(building, 'bin', 'python'), [...pip, '--requirement', lockFile], options);
    await rename(building, dir).catch((error: unknown) => {
      if (!existsSync(dir)) throw error;
    });
  } catch (error) {
    throw new Error(`pip could not install ${lockFile}: ${lastLines(error)}`, { cause: error });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

function lastLines(error: unknown): string {
  const output =
    error instanceof Error && 'stdout' in error && 'stderr' in error
      ? `${String(error.stdout)}${String(error.stderr)}`.trim()
      : '';
  return output === '' ? String(error) : output.split('\n').slice(-SHOWN_LINES).join('\n');
}
