/*
 * The spool's directory: one process's at a time, with a directory of its own for each boot, and what a start
 * needs while Kafka is away. Whatever else lies in it is left alone and never keeps a collector from starting.
 *
 *   lock   boots/<boot>/00000001.wal …   keys-<hour>.log   topics.json
 */
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EDGE_TOPICS, type PartitionCounts } from '../kafka-producer.js';

const BOOT = /^[0-9a-z]{8,32}$/;

export class SpoolInUseError extends Error {}

export type Spool = {
  readonly directory: string;
  /** Boots that left something, in no order. */
  readonly earlierBoots: readonly string[];
  /** How many partitions the topics had when they were last seen. */
  readonly partitions: PartitionCounts | undefined;
  bootDirectory(boot: string): string;
  /** Makes the directory of a new boot. */
  createBoot(boot: string): Promise<string>;
  savePartitions(partitions: PartitionCounts): Promise<void>;
  /** Lets another process have it. */
  unlock(): Promise<void>;
};

/** @throws SpoolInUseError where another process that lives has it; Error where it cannot be written */
export async function openSpool(directory: string): Promise<Spool> {
  const boots = join(directory, 'boots');
  await mkdir(boots, { recursive: true, mode: 0o700 });
  const unlock = await lock(join(directory, 'lock'));
  const names = await readdir(boots, { withFileTypes: true });
  const topicsFile = join(directory, 'topics.json');
  return {
    directory,
    earlierBoots: names
      .filter((entry) => entry.isDirectory() && BOOT.test(entry.name))
      .map(({ name }) => name),
    partitions: readPartitions(await readFile(topicsFile, 'utf8').catch(() => '')),
    bootDirectory: (boot) => join(boots, boot),
    createBoot: async (boot) => {
      const path = join(boots, boot);
      await mkdir(path, { mode: 0o700 });
      return path;
    },
    savePartitions: async (partitions) => {
      await writeFile(`${topicsFile}.new`, JSON.stringify(partitions), { mode: 0o600 });
      await rename(`${topicsFile}.new`, topicsFile);
    },
    unlock,
  };
}

/**
 * A file with this process's id and the time the process began, so that an id used again by another is not taken
 * for it. A process that was killed leaves its file; it is taken over.
 */
async function lock(path: string): Promise<() => Promise<void>> {
  const own = await processMark(process.pid);
  for (;;) {
    try {
      const handle = await open(path, 'wx', 0o600);
      await handle.writeFile(own);
      await handle.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
    const holder = await readFile(path, 'utf8').catch(() => '');
    const pid = Number(holder.split(' ', 1)[0]);
    if (pid > 0 && holder !== own && (await processMark(pid)) === holder) {
      throw new SpoolInUseError(
        `${path} is held by process ${pid}: give every collector a SPOOL_DIR of its own`,
      );
    }
    await rm(path, { force: true });
  }
}

/** Process id and start time in clock ticks, as Linux tells; elsewhere whether it lives. */
async function processMark(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything; the start time is the 20th field behind it.
    return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`;
  } catch {
    if (process.platform === 'linux') return 'gone';
    return lives(pid) ? `${pid} alive` : 'gone';
  }
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function readPartitions(text: string): PartitionCounts | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    const counts = new Map(Object.entries(parsed ?? {}));
    const known = EDGE_TOPICS.every((topic) => Number.isInteger(counts.get(topic)) && counts.get(topic) > 0);
    return known ? (parsed as PartitionCounts) : undefined;
  } catch {
    return undefined;
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
