/*
 * What a machine must have before anything is started. Each problem is one line with what was found, what is needed
 * and what to do; all problems are returned at once.
 */
import { existsSync, mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { isPortFree, portHolder } from './ports.js';

export type PortWish = {
  readonly port: number;
  readonly host: string;
  readonly what: string;
  readonly option: string;
};

const GIB = 2 ** 30;
const MEMORY_BYTES_MIN = 3 * GIB;
const DISK_BYTES_MIN = 4 * GIB;
/** Platforms of the store's engine. */
const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];

/** @param dataDir where the data will be @returns one line for each problem */
export async function preflight(dataDir: string, ports: readonly PortWish[]): Promise<string[]> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const taken = await Promise.all(ports.map(describePort));
  return [describePlatform(), describeMemory(), describeDisk(dataDir), ...taken].filter(
    (lack) => lack !== undefined,
  );
}

function describePlatform(): string | undefined {
  const platform = `${process.platform}-${process.arch}`;
  if (!PLATFORMS.includes(platform)) {
    return `this machine is ${platform}; the store's engine is available for ${PLATFORMS.join(', ')}`;
  }
  // Alpine and its like: the engine is linked against the GNU library.
  return process.platform === 'linux' && existsSync('/etc/alpine-release')
    ? 'this Linux has the musl C library; the store needs the GNU one, as Debian or Ubuntu have it'
    : undefined;
}

function describeMemory(): string | undefined {
  const bytes = Math.min(availableMemory(), containerLimit());
  return bytes < MEMORY_BYTES_MIN
    ? `${gib(bytes)} GB of memory are free; ${gib(MEMORY_BYTES_MIN)} GB are wanted: end something large`
    : undefined;
}

function describeDisk(dir: string): string | undefined {
  const { bavail, bsize } = statfsSync(dir);
  const bytes = bavail * bsize;
  return bytes < DISK_BYTES_MIN
    ? `${gib(bytes)} GB are free on the disk of ${dir}; ${gib(DISK_BYTES_MIN)} GB are wanted: make room, or name another place with --data`
    : undefined;
}

async function describePort({ port, host, what, option }: PortWish): Promise<string | undefined> {
  return (await isPortFree(port, host))
    ? undefined
    : `port ${port} of ${host}, wanted for ${what}, is taken (${portHolder(port)}): end it, or give ${option}`;
}

/** Bytes available without swapping; half of all memory where the system does not tell. */
function availableMemory(): number {
  if (process.platform !== 'linux') return totalmem() / 2;
  const [, kib] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  return kib === undefined ? totalmem() : Number(kib) * 1024;
}

/** The memory limit of a container, bytes; a huge number where there is none. */
function containerLimit(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? limit : Number.MAX_SAFE_INTEGER;
}

function gib(bytes: number): string {
  return (bytes / GIB).toFixed(1);
}
