/*
 * A process of its own that holds the local copy: its memory before and after, by `process.memoryUsage` after a
 * collection, and the time of look-ups. Its one argument is the URL of Redis; it writes one line of JSON.
 */
import { openDistributedApplications } from '@imscope/access/distributed-applications.js';
import { createRedisSource } from '@imscope/access/redis-source.js';
import { createLogger } from '@imscope/runtime/logger.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { FIRST_APPLICATION } from './fill-entries.js';

export type CopyFigures = {
  readonly applications: number;
  readonly bytes: number;
  /** Of a look-up of a random application. */
  readonly lookUpUs: number;
};

const LOOK_UPS = 2_000_000;
const ROUNDS = 5;

const [url = '', known = '0'] = process.argv.slice(2);

const settings = { url, user: '', password: '', prefix: 'imscope' };
const logger = createLogger('bench', 'silent');
// The client and the code are loaded before, so that they do not count.
const empty = createRedisSource({ ...settings, prefix: 'none' }, 'bench');
const before = await openDistributedApplications({ source: empty, cacheFile: '', logger, report: ignore });
await sleep(1_000);
const bytesBefore = usedBytes();
const source = createRedisSource(settings, 'bench');
const applications = await openDistributedApplications({ source, cacheFile: '', logger, report: ignore });
while (!applications.state().known) await sleep(10);
await sleep(1_000);
const bytes = usedBytes() - bytesBefore;
const figures: CopyFigures = {
  applications: applications.state().applications,
  bytes,
  lookUpUs: Math.min(...Array.from({ length: ROUNDS }, () => timeLookUps(Number(known)))),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
await Promise.all([applications.stop(), before.stop()]);

function ignore(): void {}

function usedBytes(): number {
  if (globalThis.gc === undefined) throw new Error('start it with --expose-gc');
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** @returns microseconds of one look-up of a random application; the random numbers are drawn before */
function timeLookUps(count: number): number {
  const ids = Float64Array.from(
    { length: LOOK_UPS },
    () => FIRST_APPLICATION + Math.floor(Math.random() * count),
  );
  let found = 0;
  const startMs = performance.now();
  for (const id of ids) if (applications.applicationSettings(id).known) found += 1;
  const tookMs = performance.now() - startMs;
  if (found !== LOOK_UPS) throw new Error(`${found} of ${LOOK_UPS} look-ups found their application`);
  return (tookMs * 1_000) / LOOK_UPS;
}
