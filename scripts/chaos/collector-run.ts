/*
 * One run that checks the collector's promises: the complete pipeline under load, the collector killed and the broker
 * stopped; after the load all accounts are compared.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PipelineWithBroker } from '../pipeline/pipeline.js';
import { settleAndCheck } from './chaos-pipeline.js';
import type { Findings } from './check-accounting.js';
import { killCollector } from './kill-collector.js';
import { TrackedSender } from './tracked-sender.js';

export type RunOptions = {
  /** Unique among the runs on the same pipeline. */
  readonly name: string;
  readonly kills: number;
  /** How long the broker is down under load, before the kills and during them; 0 leaves it running. */
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
  /** Records acknowledged while the broker was down. */
  readonly acknowledgedWithoutBroker: number;
};

/** At its end the collector is stopped and the store has all data. */
export async function runAgainstCollector(
  pipeline: PipelineWithBroker,
  options: RunOptions,
): Promise<RunOutcome> {
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
  const { killsWhileStarting, acknowledgedWithoutBroker } = await disturb(pipeline, sender, options);
  const findings = await settleAndCheck(pipeline, { senders: [sender], say: options.say });
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
  pipeline: PipelineWithBroker,
  sender: TrackedSender,
  { kills, brokerAwayMs, seed, say }: RunOptions,
): Promise<Pick<RunOutcome, 'killsWhileStarting' | 'acknowledgedWithoutBroker'>> {
  await sender.acknowledgedMore(1_000);
  const acknowledgedBefore = sender.acknowledgedRecords;
  const startMs = performance.now();
  if (brokerAwayMs > 0) {
    say(`the broker is away for ${brokerAwayMs / 1_000} s`);
    await pipeline.broker.kill();
  }
  const onKill = (kill: number): void => {
    if (kill % 10 === 0) say(`${kill} of ${kills} kills, ${sender.acknowledgedRecords} records acknowledged`);
  };
  const killsWhileStarting = await killCollector(pipeline, sender, { kills, seed, onKill });
  if (brokerAwayMs > 0) {
    await sleep(Math.max(0, startMs + brokerAwayMs - performance.now()));
    // Also in a short outage the collector must have continued without Kafka.
    await sender.acknowledgedMore(1_000);
  }
  const acknowledgedWithoutBroker = brokerAwayMs > 0 ? sender.acknowledgedRecords - acknowledgedBefore : 0;
  if (brokerAwayMs > 0) await pipeline.broker.restart();
  await sender.acknowledgedMore(1_000);
  return { killsWhileStarting, acknowledgedWithoutBroker };
}
