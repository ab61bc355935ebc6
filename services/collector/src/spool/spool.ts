/*
 * The spool's directory: one process's at a time, with a directory of its own for each boot, and what a start
 * needs while Kafka is away. Whatever else lies in it is left alone and never keeps a collector from starting.
 *
 *   lock   boots/<boot>/00000001.wal …   keys-<hour>.log   topics.json
 */
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EDGE_TOPICS, type PartitionCounts } from '../kafka/kafka-producer.js';
import { lockSpool } from './spool-lock.js';

const BOOT = /^[0-9a-z]{8,32}$/;

export type Spool = {
  readonly directory: string;
  /** Boots that left something, in no order. */
  readonly earlierIncarnations: readonly string[];
  /** How many partitions the topics had when they were last seen. */
  readonly partitions: PartitionCounts | undefined;
  incarnationDirectory(boot: string): string;
  /** Makes the directory of a new boot. */
  createIncarnation(boot: string): Promise<string>;
  savePartitions(partitions: PartitionCounts): Promise<void>;
  /** Lets another process have it. */
  unlock(): Promise<void>;
};

/** @throws SpoolInUseError where another process that lives has it; Error where it cannot be written */
export async function openSpool(directory: string): Promise<Spool> {
  const boots = join(directory, 'boots');
  await mkdir(boots, { recursive: true, mode: 0o700 });
  const unlock = await lockSpool(directory);
  const names = await readdir(boots, { withFileTypes: true });
  const topicsFile = join(directory, 'topics.json');
  return {
    directory,
    earlierIncarnations: names
      .filter((entry) => entry.isDirectory() && BOOT.test(entry.name))
      .map(({ name }) => name),
    partitions: readPartitions(await readFile(topicsFile, 'utf8').catch(() => '')),
    incarnationDirectory: (boot) => join(boots, boot),
    createIncarnation: async (boot) => {
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
