/*
 * The spool's directory: locked by one process at a time, with a directory for each incarnation, and with what a start
 * needs while Kafka is away. Other files in it are ignored and never prevent a start.
 *
 *   lock   boots/<incarnation>/00000001.wal …   keys-<hour>.log   topics.json   tail.json
 */
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EDGE_TOPICS, type PartitionCounts } from '../kafka/kafka-producer.js';
import { lockSpool } from './spool-lock.js';

const INCARNATION = /^[0-9a-z]{8,32}$/;

export type Spool = {
  readonly directory: string;
  /** Ids of incarnations that left a log, in no order. */
  readonly earlierIncarnations: readonly string[];
  /** How many partitions the topics had when they were last seen. */
  readonly partitions: PartitionCounts | undefined;
  incarnationDirectory(id: string): string;
  /** Creates the directory of a new incarnation. */
  createIncarnation(id: string): Promise<string>;
  savePartitions(partitions: PartitionCounts): Promise<void>;
  /** After this another process may lock it. */
  unlock(): Promise<void>;
};

/** @throws SpoolInUseError where a running process has locked it; Error where it cannot be written */
export async function openSpool(directory: string): Promise<Spool> {
  const boots = join(directory, 'boots');
  await mkdir(boots, { recursive: true, mode: 0o700 });
  const unlock = await lockSpool(directory);
  const names = await readdir(boots, { withFileTypes: true });
  const topicsFile = join(directory, 'topics.json');
  return {
    directory,
    earlierIncarnations: names
      .filter((entry) => entry.isDirectory() && INCARNATION.test(entry.name))
      .map(({ name }) => name),
    partitions: readPartitions(await readFile(topicsFile, 'utf8').catch(() => '')),
    incarnationDirectory: (id) => join(boots, id),
    createIncarnation: async (id) => {
      const path = join(boots, id);
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
