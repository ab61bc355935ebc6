/*
 * One run against the collector's promises: the whole pipeline on a broker of its own under load, the collector
 * killed and the broker taken away, then everything let come to rest and the books held against each other.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Pipeline, startPipeline } from '../end-to-end/pipeline.js';
import { type Broker, startBroker } from '../stack/broker.js';
import { untilBooked, untilSpoolEmpty } from './caught-up.js';
import { checkBooks, type Findings } from './check-books.js';
import { killCollector } from './kill-collector.js';
import { TrackedSender } from './tracked-sender.js';

export type RunOptions = {
  /** Of this run among others on the same pipeline. */
  readonly name: string;
  readonly kills: number;
  /** The broker is killed under load for so long, before the kills or with them; 0 leaves it. */
  readonly brokerAwayMs: number;
  readonly seed: number;
  readonly recordsPerSecond: number;
  readonly say: (text: string) => void;
};

export type RunOutcome = {
  readonly findings: Findings;
  readonly kills: number;
  readonly killsWhileStarting: number;
  readonly repeatedRequests: number;
  readonly unclearRequests: number;
  readonly longestRecoveryMs: number;
  readonly longestSilenceMs: number;
  /** Records acknowledged while the broker was away. */
  readonly acknowledgedWithoutBroker: number;
};

const BROKER_HEAP_MB = 384;
const SETTLE_MS_MAX = 180_000;

export type ChaosStack = {
  readonly broker: Broker;
  readonly pipeline: Pipeline;
  end(): Promise<void>;
};

/** A broker that may be killed, and the pipeline on it. */
export async function startChaosStack(): Promise<ChaosStack> {
  const directory = mkdtempSync(join(tmpdir(), 'imscope-chaos-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  let broker: Broker | undefined;
  try {
    broker = await startBroker({ dataDir: directory, heapMb: BROKER_HEAP_MB });
    const { stop, address } = broker;
    const pipeline = await startPipeline({ aggregator: { MARKER_AGE_MS: '200' } }, address);
    const end = async (): Promise<void> => {
      await pipeline.end();
      await stop();
      remove();
    };
    return { broker, pipeline, end };
  } catch (error) {
    await broker?.stop();
    remove();
    throw error;
  }
}

/** Leaves the collector stopped and the store with all there is. */
export async function runAgainstCollector(stack: ChaosStack, options: RunOptions): Promise<RunOutcome> {
  const { pipeline } = stack;
  if (!pipeline.process('collector').isRunning()) await pipeline.start('collector');
  const sender = new TrackedSender({
    url: pipeline.collectorUrl,
    token: pipeline.credentials.writeToken,
    name: options.name,
    seed: options.seed,
    keyedClients: 6,
    plainClients: 2,
    recordsPerRequest: 40,
    recordsPerSecond: options.recordsPerSecond,
    whenRefused: 'send_again',
  });
  const { killsWhileStarting, acknowledgedWithoutBroker } = await disturb(stack, sender, options);
  const findings = await settleAndCheck(pipeline, sender, options.say);
  return {
    findings,
    kills: options.kills,
    killsWhileStarting,
    acknowledgedWithoutBroker,
    repeatedRequests: sender.repeated,
    unclearRequests: sender.fates.unclear.size,
    longestRecoveryMs: sender.longestRecoveryMs,
    longestSilenceMs: sender.longestSilenceMs,
  };
}

async function disturb(
  { pipeline, broker }: ChaosStack,
  sender: TrackedSender,
  { kills, brokerAwayMs, seed, say }: RunOptions,
): Promise<Pick<RunOutcome, 'killsWhileStarting' | 'acknowledgedWithoutBroker'>> {
  await sender.acknowledgedMore(1_000);
  const acknowledgedBefore = sender.acknowledgedRecords;
  const startMs = performance.now();
  if (brokerAwayMs > 0) {
    say(`the broker is away for ${brokerAwayMs / 1_000} s`);
    await broker.kill();
  }
  const onKill = (kill: number): void => {
    if (kill % 10 === 0) say(`${kill} of ${kills} kills, ${sender.acknowledgedRecords} records acknowledged`);
  };
  const killsWhileStarting = await killCollector(pipeline, sender, { kills, seed, onKill });
  if (brokerAwayMs > 0) {
    await sleep(Math.max(0, startMs + brokerAwayMs - performance.now()));
    // Whatever was asked for, it must have gone on without Kafka.
    await sender.acknowledgedMore(1_000);
  }
  const acknowledgedWithoutBroker = brokerAwayMs > 0 ? sender.acknowledgedRecords - acknowledgedBefore : 0;
  if (brokerAwayMs > 0) await broker.restart();
  await sender.acknowledgedMore(1_000);
  return { killsWhileStarting, acknowledgedWithoutBroker };
}

/** Ends the load, stops the collector cleanly, waits for the store, and checks. */
export async function settleAndCheck(
  pipeline: Pipeline,
  sender: TrackedSender,
  say: (text: string) => void,
): Promise<Findings> {
  // A keyed request is taken only once all that earlier boots left has been read: so the spool's count is whole.
  await sender.acknowledgedMore(1);
  await sender.finish();
  say(`waiting for the store to have ${sender.acknowledgedRecords} records`);
  await untilSpoolEmpty((name) => pipeline.metric('collector', name), SETTLE_MS_MAX);
  await pipeline.stop('collector');
  if (!pipeline.process('aggregator').isRunning()) {
    // It gives up on a broker that stays away; whoever runs it starts it again.
    say('the aggregator had ended and is started again');
    await pipeline.start('aggregator');
  }
  await untilBooked(pipeline.kafka, pipeline.select, SETTLE_MS_MAX);
  return checkBooks(pipeline.select, sender.fates);
}
