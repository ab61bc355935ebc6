/*
 * Programs that npm cannot install (Java, Maven, Python, Go, nginx, HAProxy, MariaDB, Redis, Chromium, strace): found, or
 * installed by apt-get where that is allowed (root on Debian and its derivatives), or named in one line with what to do.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export type Program = {
  /** The command that shows whether it is installed; any exit code counts unless `accept` checks the output. */
  readonly command: readonly [string, ...string[]];
  readonly name: string;
  /** Undefined where Debian has no version that is new enough: `byHand` then says what to do. */
  readonly debian: string | undefined;
  readonly byHand?: string;
  readonly homebrew: string;
  readonly accept?: (output: string) => boolean;
};

const JAVA_VERSION_MIN = 11;

export const JAVA: Program = {
  name: `Java ${JAVA_VERSION_MIN} or newer`,
  command: ['java', '-version'],
  debian: 'default-jre-headless',
  homebrew: 'openjdk',
  accept: (output) => Number(/version "(\d+)/.exec(output)?.[1] ?? 0) >= JAVA_VERSION_MIN,
};
export const MAVEN: Program = {
  name: 'Maven',
  command: ['mvn', '-version'],
  debian: 'maven',
  homebrew: 'maven',
};
const PYTHON_MINOR_MIN = 11;

/** Installs programs of other languages (foreign-programs.ts). Debian has its venv in a package of its own. */
export const PYTHON: Program = {
  name: `Python 3.${PYTHON_MINOR_MIN} or newer with venv`,
  command: ['python3', '-c', 'import ensurepip, sys, venv; print(*sys.version_info[:2], sep=".")'],
  debian: 'python3-venv',
  homebrew: 'python',
  accept: (output) => Number(/^3\.(\d+)$/m.exec(output)?.[1] ?? 0) >= PYTHON_MINOR_MIN,
};
const GO_MINOR_MIN = 25;

/** Builds programs of Go modules (foreign-programs.ts); the newest module asks for this version. */
export const GO: Program = {
  name: `Go 1.${GO_MINOR_MIN} or newer`,
  command: ['go', 'version'],
  debian: undefined,
  byHand: `unpack Go 1.${GO_MINOR_MIN} or newer for this machine into /usr/local/go, because Debian's is older`,
  homebrew: 'go',
  accept: (output) => Number(/go1\.(\d+)/.exec(output)?.[1] ?? 0) >= GO_MINOR_MIN,
};
export const NGINX: Program = {
  name: 'nginx',
  command: ['nginx', '-v'],
  debian: 'nginx-light',
  homebrew: 'nginx',
};
/** nginx as a TCP proxy: a module of its own on Debian. */
export const NGINX_STREAM: Program = {
  name: 'the stream module of nginx',
  command: ['sh', '-c', 'nginx -V 2>&1; ls /usr/lib/nginx/modules'],
  debian: 'libnginx-mod-stream',
  homebrew: 'nginx',
  accept: (output) => /--with-stream(\s|$)|ngx_stream_module\.so/m.test(output),
};
export const HAPROXY: Program = {
  name: 'HAProxy',
  command: ['haproxy', '-v'],
  debian: 'haproxy',
  homebrew: 'haproxy',
};
export const CHROMIUM: Program = {
  name: 'Chromium',
  command: ['chromium', '--version'],
  debian: 'chromium',
  homebrew: 'chromium',
};
/** Stands for MySQL, which Debian does not have. */
export const MARIADB: Program = {
  name: 'MariaDB',
  command: ['mariadbd', '--version'],
  debian: 'mariadb-server',
  homebrew: 'mariadb',
};
export const REDIS: Program = {
  name: 'Redis',
  command: ['redis-server', '--version'],
  debian: 'redis-server',
  homebrew: 'redis',
};
/** Injects disk faults into a process; Linux only. */
export const STRACE: Program = {
  name: 'strace',
  command: ['strace', '-V'],
  debian: 'strace',
  homebrew: 'strace',
};

export type Provided =
  | { readonly ok: true; readonly installed: readonly string[] }
  | { readonly ok: false; readonly message: string };

/** Ensures that all programs are installed. Installs all that are missing at once, where that is allowed. */
export async function providePrograms(
  programs: readonly Program[],
  onInstall: (names: readonly string[]) => void,
): Promise<Provided> {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length === 0) return { ok: true, installed: [] };
  const names = missing.map(({ name }) => name);
  const byHand = installCommand(missing);
  const packages = debianPackages(missing);
  if (!mayInstall() || packages.length < missing.length) {
    return { ok: false, message: `missing: ${names.join(', ')}. To do: ${byHand}` };
  }
  onInstall(names);
  const updated = await aptGet(['update', '-qq']);
  const done =
    updated.code === 0
      ? await aptGet(['install', '-y', '-qq', '--no-install-recommends', ...packages])
      : updated;
  const still = missing.filter((program) => !isInstalled(program));
  return still.length === 0
    ? { ok: true, installed: names }
    : {
        ok: false,
        message: `apt-get could not install ${debianPackages(still).join(' ')}; run by hand: ${byHand}\n${done.lastLines}`,
      };
}

function isInstalled({ command: [program, ...args], accept }: Program): boolean {
  const { error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env: programEnvironment() });
  return error === undefined && (accept?.(`${stdout}${stderr}`) ?? true);
}

/** The environment in which programs are searched: nginx and HAProxy are in sbin, Go in a folder of its own. */
export function programEnvironment(): NodeJS.ProcessEnv {
  const path = [process.env['PATH'] ?? '', '/usr/sbin', '/usr/local/sbin', '/usr/local/go/bin'];
  return { ...process.env, PATH: path.join(':') };
}

function debianPackages(programs: readonly Program[]): string[] {
  return programs.flatMap(({ debian }) => (debian === undefined ? [] : [debian]));
}

function installCommand(programs: readonly Program[]): string {
  if (process.platform === 'darwin')
    return `brew install ${programs.map(({ homebrew }) => homebrew).join(' ')}`;
  const packages = debianPackages(programs);
  const install = `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const byHand = programs.flatMap((program) => program.byHand ?? []);
  return [...(packages.length === 0 ? [] : [install]), ...byHand].join('; ');
}

function mayInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get') && existsSync('/etc/debian_version');
}

async function aptGet(args: readonly string[]): Promise<{ code: number | null; lastLines: string }> {
  const child = spawn('apt-get', args, {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = `${output}${chunk.toString()}`.slice(-4_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, lastLines: output.trim().split('\n').slice(-10).join('\n') };
}
