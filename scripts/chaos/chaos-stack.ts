/*
 * What chaos runs stand on and end with: a broker that may be killed with the pipeline on it, and the comparison of
 * all books once everything has come to rest.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Pipeline, type PipelineOptions, startPipeline } from '../pipeline/pipeline.js';
import { type Broker, startBroker } from '../stack/broker.js';
import type { OnSpawn } from '../stack/process.js';
import { untilBooked, untilSpoolEmpty } from '../pipeline/caught-up.js';
import { checkBooks, type Findings } from './check-books.js';
import { type TrackedSender, fatesTogether } from './tracked-sender.js';

const BROKER_HEAP_MB = 384;
const SETTLE_MS_MAX = 180_000;

export type AggregatorName = 'aggregator' | 'aggregator-2';
export type CollectorName = 'collector' | 'collector-2';

export type ChaosStack = {
  readonly broker: Broker;
  readonly pipeline: Pipeline;
  end(): Promise<void>;
};

export type ChaosStackOptions = {
  /** Where aggregators find the store, if something stands before it. */
  readonly storeUrls?: Partial<Record<AggregatorName, string>>;
  readonly pipeline?: PipelineOptions;
  readonly onBrokerSpawn?: OnSpawn;
};

/** A broker that may be killed, and the pipeline on it. */
export async function startChaosStack(options: ChaosStackOptions = {}): Promise<ChaosStack> {
  const directory = mkdtempSync(join(tmpdir(), 'imscope-chaos-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  let broker: Broker | undefined;
  try {
    const { onBrokerSpawn: onSpawn } = options;
    const spawn = onSpawn === undefined ? {} : { onSpawn };
    broker = await startBroker({ dataDir: directory, heapMb: BROKER_HEAP_MB, ...spawn });
    const { stop, address } = broker;
    const storeUrl = (name: AggregatorName): Record<string, string> => {
      const url = options.storeUrls?.[name];
      return url === undefined ? {} : { STORE_URL: url };
    };
    const settings = {
      aggregator: { MARKER_AGE_MS: '200', RECONCILE_INTERVAL_S: '2', ...storeUrl('aggregator') },
      'aggregator-2': storeUrl('aggregator-2'),
    };
    const pipeline = await startPipeline(settings, address, options.pipeline);
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

export type Settling = {
  readonly senders: readonly TrackedSender[];
  readonly say: (text: string) => void;
  /** Where something else starts what ends: how a collector is stopped cleanly, for good. */
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
  // A keyed request is taken only once all that earlier boots left has been read: so the spool's count is whole.
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
    // It gives up on a broker that stays away; whoever runs it starts it again.
    say('the aggregator had ended and is started again');
    await pipeline.start('aggregator');
  }
  await untilBooked(pipeline.kafka, pipeline.select, SETTLE_MS_MAX);
  return checkBooks(pipeline, fatesTogether(senders));
}
