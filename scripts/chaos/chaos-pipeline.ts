/*
 * The start and end of chaos runs: a pipeline with a broker that may be killed, and the comparison of all accounts after
 * the load has ended and everything is stored.
 */
import {
  type PipelineOptions,
  type PipelineSettings,
  type PipelineWithBroker,
  type Pipeline,
  startPipelineWithBroker,
} from '../pipeline/pipeline.js';
import type { Env } from '../stack/service-env.js';
import { untilRecorded, untilSpoolEmpty } from '../pipeline/caught-up.js';
import { checkAccounting, type Findings } from './check-accounting.js';
import { type TrackedSender, fatesTogether } from './tracked-sender.js';

const BROKER_HEAP_MB = 384;
const SETTLE_MS_MAX = 180_000;

export type AggregatorName = 'aggregator' | 'aggregator-2';
export type CollectorName = 'collector' | 'collector-2';

export type ChaosOptions = {
  /** The store's address for aggregators, if a proxy is in front of it. */
  readonly storeUrls?: Partial<Record<AggregatorName, string>>;
  readonly pipeline?: PipelineOptions;
};

/** A pipeline with a broker that may be killed, and with short intervals. */
export async function startChaosPipeline(options: ChaosOptions = {}): Promise<PipelineWithBroker> {
  const storeUrl = (name: AggregatorName): Env => {
    const url = options.storeUrls?.[name];
    return url === undefined ? {} : { STORE_URL: url };
  };
  const settings: PipelineSettings = {
    aggregator: { MARKER_AGE_MS: '200', RECONCILE_INTERVAL_S: '2', ...storeUrl('aggregator') },
    'aggregator-2': storeUrl('aggregator-2'),
  };
  return startPipelineWithBroker(BROKER_HEAP_MB, settings, options.pipeline);
}

export type Settling = {
  readonly senders: readonly TrackedSender[];
  readonly say: (text: string) => void;
  /** Stops a collector permanently, if a supervisor restarts processes. */
  readonly supervised?: {
    readonly collectors: readonly CollectorName[];
    readonly stop: (name: CollectorName) => Promise<void>;
  };
};

/** Ends the load, stops the collectors cleanly, waits for the store, and checks. */
export async function settleAndCheck(
  pipeline: Pipeline,
  { senders, say, supervised }: Settling,
): Promise<Findings> {
  // A keyed request is accepted only after the spools of all earlier incarnations were read, so its count is complete.
  await Promise.all(senders.map((sender) => sender.acknowledgedMore(1)));
  await Promise.all(senders.map((sender) => sender.finish()));
  const acknowledged = senders.reduce((sum, sender) => sum + sender.acknowledgedRecords, 0);
  say(`waiting for the store to have ${acknowledged} records`);
  const stop = supervised?.stop ?? pipeline.stop;
  for (const name of supervised?.collectors ?? (['collector'] as const)) {
    await untilSpoolEmpty((metric) => pipeline.metric(name, metric), SETTLE_MS_MAX);
    await stop(name);
  }
  if (supervised === undefined && !pipeline.process('aggregator').isRunning()) {
    // It exits if a broker stays down; in production a supervisor restarts it.
    say('the aggregator had ended and is restarted');
    await pipeline.start('aggregator');
  }
  await untilRecorded(pipeline.kafka, pipeline.select, SETTLE_MS_MAX);
  return checkAccounting(pipeline, fatesTogether(senders));
}
