/*
 * One kill loop: the complete pipeline with two aggregators in the group and two collectors under load. Every process is
 * killed by a plan, aggregators are also stopped and continued as zombies; after the load all accounts are compared.
 */
import { freePort } from '../stack/ports.js';
import type { PipelineWithBroker } from '../pipeline/pipeline.js';
import { type AggregatorName, settleAndCheck, startChaosPipeline } from './chaos-pipeline.js';
import type { Findings } from './check-accounting.js';
import { InsertFates, type InsertWatch, watchInserts } from './insert-watch.js';
import { KillLoop, type LoopCounts, type Targets, type Until } from './kill-loop.js';
import { type FaultCounts, planFaults, type TargetName } from './kill-plan.js';
import { KillTarget } from './kill-targets.js';
import { ReconcileWatch } from './reconcile-watch.js';
import { Recoveries } from './recoveries.js';
import { TrackedSender } from './tracked-sender.js';

export type KillRunOptions = {
  readonly seed: number;
  readonly perRound: FaultCounts;
  readonly until: Until;
  readonly recordsPerSecond: number;
  readonly say: (text: string) => void;
};

export type KillOutcome = LoopCounts & {
  readonly findings: Findings;
  readonly sentRecords: number;
  readonly ambiguousInserts: number;
  /** Ambiguous, and never sent again. */
  readonly leftUnknown: readonly string[];
  readonly repeatedInserts: number;
  readonly repeatedRequests: number;
  readonly longestRecoveryMs: number;
  /** From the first of overlapping kills. */
  readonly longestOutageMs: number;
  readonly longestSilenceMs: number;
  /** Reconcile passes while processes are killed, and the differences they found. */
  readonly checks: number;
  readonly alarms: readonly string[];
};

export type KillPipeline = PipelineWithBroker & {
  readonly fates: InsertFates;
  readonly watches: Readonly<Record<AggregatorName, InsertWatch>>;
};

/** Partitions that `prepare` creates for each topic. */
const PARTITIONS = 4;
const RECORDS_PER_REQUEST = 40;
const CLIENTS = 5;

export async function startKillPipeline(): Promise<KillPipeline> {
  const storePort = await freePort();
  const fates = new InsertFates();
  const watches = {
    aggregator: await watchInserts(storePort, fates),
    'aggregator-2': await watchInserts(storePort, fates),
  };
  const closeWatches = async (): Promise<void> => {
    for (const watch of Object.values(watches)) await watch.close();
  };
  try {
    const pipeline = await startChaosPipeline({
      storeUrls: { aggregator: watches.aggregator.url, 'aggregator-2': watches['aggregator-2'].url },
      pipeline: { seconds: ['aggregator-2', 'collector-2'], storePort },
    });
    const end = async (): Promise<void> => {
      await pipeline.end();
      await closeWatches();
    };
    return { ...pipeline, fates, watches, end };
  } catch (error) {
    await closeWatches();
    throw error;
  }
}

/** At its end the collectors are stopped and the store has all data. A pipeline serves one run. */
export async function runKillLoop(pipeline: KillPipeline, options: KillRunOptions): Promise<KillOutcome> {
  const { fates, watches } = pipeline;
  const senders = {
    collector: startSender(pipeline.collectorUrl, 'first', pipeline, options),
    'collector-2': startSender(pipeline.secondCollectorUrl(), 'second', pipeline, options),
  };
  const both = Object.values(senders);
  await Promise.all(both.map((sender) => sender.acknowledgedMore(1_000)));
  const recoveries = new Recoveries(pipeline.select, PARTITIONS);
  const reconciliation = new ReconcileWatch(pipeline);
  const targets = await superviseAll(pipeline, options.say);
  const loop = new KillLoop({ targets, senders, recoveries, watches, fates, say: options.say });
  try {
    await loop.run(planFaults(options.seed, options.perRound), options.until);
    options.say('no more kills: waiting until all runs and has recovered');
    // Traffic continues: only data sent after a kill shows the recovery.
    await loop.untilRecovered();
    const findings = await settleAndCheck(pipeline, {
      senders: both,
      say: options.say,
      supervised: { collectors: ['collector', 'collector-2'], stop: (name) => targets[name].end() },
    });
    return {
      findings,
      ...loop.counts,
      sentRecords: sum(both.map(({ sentRecords }) => sentRecords)),
      ambiguousInserts: fates.ambiguous,
      leftUnknown: fates.leftUnknown(),
      repeatedInserts: fates.repeated,
      repeatedRequests: sum(both.map(({ repeated }) => repeated)),
      longestRecoveryMs: Math.max(recoveries.longestRecoveryMs, ...both.map((one) => one.longestRecoveryMs)),
      longestOutageMs: recoveries.longestOutageMs,
      checks: reconciliation.checks,
      alarms: reconciliation.alarms,
      longestSilenceMs: Math.max(...both.map((one) => one.longestSilenceMs)),
    };
  } finally {
    await recoveries.stop();
    await reconciliation.stop();
    await endAll(targets);
  }
}

/** Every client has keys and repeats until it is answered, so at the end all sent records are acknowledged. */
function startSender(
  url: string,
  name: string,
  { credentials }: KillPipeline,
  options: KillRunOptions,
): TrackedSender {
  return new TrackedSender({
    url,
    token: credentials.writeToken,
    name,
    seed: options.seed,
    keyedClients: CLIENTS,
    plainClients: 0,
    recordsPerRequest: RECORDS_PER_REQUEST,
    recordsPerSecond: options.recordsPerSecond / 2,
    whenRefused: 'send_again',
  });
}

async function superviseAll(pipeline: KillPipeline, say: (text: string) => void): Promise<Targets> {
  const supervised = async (name: TargetName): Promise<KillTarget> =>
    KillTarget.watch({
      name,
      process: name === 'broker' ? pipeline.brokerProcess : () => pipeline.process(name),
      start: name === 'broker' ? pipeline.broker.restart : () => pipeline.start(name),
      say,
    });
  return {
    store: await supervised('store'),
    broker: await supervised('broker'),
    aggregator: await supervised('aggregator'),
    'aggregator-2': await supervised('aggregator-2'),
    collector: await supervised('collector'),
    'collector-2': await supervised('collector-2'),
  };
}

async function endAll(targets: Targets): Promise<void> {
  // Sources before sinks: a source that stops waits for its sink.
  for (const name of ['collector', 'collector-2', 'aggregator', 'aggregator-2', 'store', 'broker'] as const)
    await targets[name].end();
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
