/*
 * Kills the collector repeatedly at random moments, also while it starts, and restarts it at once on the same spool.
 * The moments are a pure function of the seed; the collector's state at these moments is not.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pipeline } from '../pipeline/pipeline.js';
import { Random } from '../simulate-gateway/random.js';
import type { TrackedSender } from './tracked-sender.js';

/** The share of kills that hit a collector before it is ready. */
const STARTING_SHARE = 0.3;
/** About the duration of a start. */
const STARTING_MS_MAX = 900;
const RUNNING_MS_MIN = 50;
const RUNNING_MS_MAX = 2_500;

/** @returns how many of the kills hit a collector while it started */
export async function killCollector(
  pipeline: Pipeline,
  sender: TrackedSender,
  { kills, seed, onKill }: { kills: number; seed: number; onKill: (kill: number) => void },
): Promise<number> {
  const random = new Random(seed, 'kills');
  let whileStarting = 0;
  let start = begin(async () => undefined);
  for (let kill = 1; kill <= kills; kill++) {
    if (kill > 1 && random.unit() < STARTING_SHARE) {
      await sleep(random.unit() * STARTING_MS_MAX);
    } else {
      await ready(start);
      await sleep(RUNNING_MS_MIN + random.unit() * (RUNNING_MS_MAX - RUNNING_MS_MIN));
    }
    if (start.result === undefined) whileStarting += 1;
    sender.noteKill();
    await pipeline.kill('collector');
    // A start that was interrupted must have failed before the next: only one collector may hold the spool.
    await start.ended;
    start = begin(() => pipeline.start('collector'));
    await sender.until(() => pipeline.process('collector').isRunning(), 'the collector is started again');
    onKill(kill);
  }
  await ready(start);
  return whileStarting;
}

type Start = { result: 'ready' | Error | undefined; ended: Promise<void> };

/** Never rejects: only `ready` throws the failure. */
function begin(action: () => Promise<void>): Start {
  const start: Start = { result: undefined, ended: Promise.resolve() };
  start.ended = action().then(
    () => void (start.result = 'ready'),
    (error: unknown) => void (start.result = error instanceof Error ? error : new Error(String(error))),
  );
  return start;
}

async function ready(start: Start): Promise<void> {
  await start.ended;
  if (start.result instanceof Error) throw start.result;
}
