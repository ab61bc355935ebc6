/*
 * Kafka's jars: resolved once by Maven from deploy/kafka/pom.xml into .imscope/kafka/jars and kept until that file
 * changes, so that a second start needs neither Maven nor a network.
 */
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inWorkDir, REPO_ROOT } from './repo-root.js';

const POM_FILE = join(REPO_ROOT, 'deploy', 'kafka', 'pom.xml');
const RESOLVE_TIMEOUT_MS = 300_000;

async function jarsDir(): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(POM_FILE))
    .digest('hex');
  return inWorkDir('kafka', 'jars', digest.slice(0, 12));
}

/** True where the jars of the current pom.xml are in the cache. */
export async function hasKafkaJars(): Promise<boolean> {
  return existsSync(await jarsDir());
}

/** The directory of the jars; Maven resolves those that are missing. Throws with Maven's error lines. */
export async function ensureKafkaJars(): Promise<string> {
  const dir = await jarsDir();
  if (existsSync(dir)) return dir;
  const building = `${dir}.${randomUUID()}`;
  await mkdir(building, { recursive: true });
  await writeFile(join(building, 'README'), 'Made of deploy/kafka/pom.xml; safe to delete.\n');
  const goal = ['-q', '-B', '-f', POM_FILE, 'dependency:copy-dependencies', `-DoutputDirectory=${building}`];
  try {
    await promisify(execFile)('mvn', goal, { timeout: RESOLVE_TIMEOUT_MS, maxBuffer: 10_000_000 });
    // Two processes may resolve at the same time: the copy of the first is kept, the other is removed.
    await rename(building, dir).catch((error: unknown) => {
      if (!existsSync(dir)) throw error;
    });
  } catch (error) {
    throw new Error(`Maven could not fetch Kafka's jars (mvn ${goal.join(' ')}): ${mavenErrors(error)}`, {
      cause: error,
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return dir;
}

function mavenErrors(error: unknown): string {
  const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
  const lines = output.split('\n').filter((line) => line.includes('ERROR'));
  return lines.slice(0, 5).join('\n') || String(error);
}
