/*
 * Programs of other languages that tests run: one table with exact versions. Each language's own package manager installs
 * them once for this user into a cache outside the checkout, `$XDG_CACHE_HOME/imscope` or `~/.cache/imscope`.
 */
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { programEnvironment } from './programs.js';
import { REPO_ROOT } from './repo-root.js';

/** Exact versions of everything that it needs are in `foreign-programs/<name>.txt`, a requirements file of pip. */
export type PythonProgram = {
  readonly name: string;
  readonly registry: 'python';
  readonly version: string;
  /** What `python -m` runs. */
  readonly module: string;
};

/** Exact versions of everything that it needs are in `foreign-programs/<name>/go.mod`, their checksums in `go.sum`. */
export type GoProgram = {
  readonly name: string;
  readonly registry: 'go';
  readonly version: string;
  readonly module: string;
  /** What is built, seen from the folder of `go.mod`: a package of the module, or `.`, a program of ours around it. */
  readonly package: string;
};

export type ForeignProgram = PythonProgram | GoProgram;

export const FOREIGN_PROGRAMS = {
  schemathesis: {
    name: 'schemathesis',
    registry: 'python',
    version: '4.32.5',
    module: 'schemathesis.cli',
  },
  versitygw: {
    name: 'versitygw',
    registry: 'go',
    version: '1.8.0',
    module: 'github.com/versity/versitygw',
    package: 'github.com/versity/versitygw/cmd/versitygw',
  },
  ferretdb: {
    name: 'ferretdb',
    registry: 'go',
    version: '1.24.2',
    module: 'github.com/FerretDB/FerretDB',
    package: '.',
  },
} as const satisfies Readonly<Record<string, ForeignProgram>>;

/** How a program is started. */
export type ForeignCommand = { readonly command: string; readonly args: readonly string[] };

const LOCKS_DIR = join(REPO_ROOT, 'scripts', 'stack', 'foreign-programs');
/** versitygw compiles in two and a half minutes on two cores that are not busy. */
const INSTALL_TIMEOUT_MS = 1_200_000;
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
  const { name, version } = program;
  const dir = cacheDir(
    program,
    await (program.registry === 'python' ? pythonState(program) : goState(program)),
  );
  if (!existsSync(dir)) {
    onInstall(`installing ${name} ${version} into ${dir}, once; this may take minutes`);
    await (program.registry === 'python'
      ? installOnce(dir, (building) => installPython(program, building))
      : installOnce(dir, (building) => buildGo(program, building)));
  }
  return program.registry === 'python'
    ? // Not the scripts in bin: they name the directory of the installation, which was renamed afterwards.
      { command: join(dir, 'bin', 'python'), args: ['-m', program.module] }
    : { command: join(dir, name), args: [] };
}

/** Another state (lock file, interpreter or compiler) is another directory. */
function cacheDir({ name, version }: ForeignProgram, state: readonly string[]): string {
  const root = process.env['XDG_CACHE_HOME'] ?? '';
  const hash = createHash('sha256');
  for (const text of state) hash.update(text);
  const digest = hash.digest('hex').slice(0, 12);
  return join(root === '' ? join(homedir(), '.cache') : root, 'imscope', `${name}-${version}-${digest}`);
}

/** Several processes may install at once, each in its own directory: the first to finish is kept. */
async function installOnce(dir: string, install: (building: string) => Promise<void>): Promise<void> {
  const building = `${dir}.${randomUUID()}`;
  try {
    await mkdir(building, { recursive: true });
    await install(building);
    await rename(building, dir).catch((error: unknown) => {
      if (!existsSync(dir)) throw error;
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

function requirementsFile({ name }: PythonProgram): string {
  return join(LOCKS_DIR, `${name}.txt`);
}

async function pythonState(program: PythonProgram): Promise<string[]> {
  const { stdout } = await run('python3', ['-c', 'import sys; print(sys.version, sys.base_prefix)']);
  return [await readFile(requirementsFile(program), 'utf8'), stdout];
}

async function installPython(program: PythonProgram, building: string): Promise<void> {
  const lockFile = requirementsFile(program);
  const options = { timeout: INSTALL_TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX };
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check'];
  try {
    await run('python3', ['-m', 'venv', building], options);
    await run(join(building, 'bin', 'python'), [...pip, '--requirement', lockFile], options);
  } catch (error) {
    throw new Error(`pip could not install ${lockFile}: ${lastLines(error)}`, { cause: error });
  }
}

async function goState({ name }: GoProgram): Promise<string[]> {
  const folder = join(LOCKS_DIR, name);
  const files = (await readdir(folder)).toSorted();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const { stdout } = await run('go', ['version'], { env: programEnvironment() });
  return [...texts, stdout];
}

async function buildGo({ name, version, package: built }: GoProgram, building: string): Promise<void> {
  const cwd = join(LOCKS_DIR, name);
  try {
    await run(
      'go',
      // The modules' own builds pass the version to the linker, too.
      [
        'build',
        '-mod=readonly',
        '-trimpath',
        '-ldflags',
        `-X main.Version=${version}`,
        '-o',
        building,
        built,
      ],
      {
        cwd,
        timeout: INSTALL_TIMEOUT_MS,
        maxBuffer: OUTPUT_BYTES_MAX,
        env: { ...programEnvironment(), GOTOOLCHAIN: 'local', CGO_ENABLED: '0' },
      },
    );
  } catch (error) {
    throw new Error(`go could not build ${cwd}: ${lastLines(error)}`, { cause: error });
  }
}

function lastLines(error: unknown): string {
  const output =
    error instanceof Error && 'stdout' in error && 'stderr' in error
      ? `${String(error.stdout)}${String(error.stderr)}`.trim()
      : '';
  return output === '' ? String(error) : output.split('\n').slice(-SHOWN_LINES).join('\n');
}
