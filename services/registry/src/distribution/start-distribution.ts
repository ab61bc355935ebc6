/* Starts the publisher with the sinks that the settings name, its metrics and its notes in `/ready`. */
import type { Config } from '@imscope/runtime/config.js';
import { createKafka } from '@imscope/runtime/kafka-client.js';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import type { Running, ServiceContext } from '@imscope/runtime/service.js';
import { Gauge, type Registry } from 'prom-client';
import { createDetailSink } from './detail-sink.js';
import type { DISTRIBUTION_SETTINGS } from './distribution-settings.js';
import type { EntrySink } from './entry-sink.js';
import { type Publisher, type PublisherOptions, startPublisher } from './publisher.js';
import { findUndistributed } from './find-undistributed.js';
import { createNameSink } from './name-sink.js';
import { createRedisSink } from './redis-sink.js';
import type { SinkState } from './sink-follower.js';
import { createTopicSink } from './topic-sink.js';

export type DistributionOptions = Pick<PublisherOptions, 'database' | 'holder'> & {
  readonly now: () => number;
  /** The telemetry store; undefined: answers have no names. */
  readonly store: ClickHouseClient | undefined;
};

export type Distribution = Running &
  Pick<Publisher, 'wake'> & {
    /** Why a revision has not reached every sink; undefined where it has. */
    readonly undistributed: (revision: number) => Promise<string | undefined>;
  };

type Context = Pick<
  ServiceContext<typeof DISTRIBUTION_SETTINGS>,
  'config' | 'logger' | 'registry' | 'readiness'
>;

const NOTES_EVERY_MS = 1_000;

/** Without a sink nothing is published, and receivers can have the applications file alone. */
export function startDistribution(context: Context, options: DistributionOptions): Distribution {
  const { config, logger, registry, readiness } = context;
  const { now, store, database } = options;
  const names = store === undefined ? [] : [createNameSink(createDetailSink(store), database.kysely, now)];
  const sinks = [...createSinks(config, logger), ...names];
  const publisher = startPublisher({ ...options, sinks, logger });
  addMetrics(registry, publisher, now);
  const timer = setInterval(() => {
    for (const state of publisher.state())
      readiness.note(`publication to ${state.sink}`, noteOf(state, now()));
  }, NOTES_EVERY_MS);
  timer.unref();
  return {
    wake: () => publisher.wake(),
    undistributed: async (revision) =>
      findUndistributed(
        options.database.kysely,
        sinks.map(({ name }) => name),
        revision,
      ),
    stop: async () => {
      clearInterval(timer);
      await publisher.stop();
    },
  };
}

function createSinks(config: Config<typeof DISTRIBUTION_SETTINGS>, logger: Context['logger']): EntrySink[] {
  const { redisUrl: url, redisPassword: password, redisPrefix: prefix } = config;
  const redis = url === '' ? [] : [createRedisSink({ url, user: '', password, prefix })];
  if (!config.registryTopic) return redis;
  const topic = createTopicSink({
    kafka: createKafka(config, 'imscope-registry', logger),
    prefix: config.kafkaTopicPrefix,
    replicationFactor: config.registryTopicReplication,
  });
  return [...redis, topic];
}

function noteOf({ lag = 0, failure, behindSinceMs }: SinkState, nowMs: number): string | undefined {
  if (lag === 0 && failure === undefined) return undefined;
  const seconds = behindSinceMs === undefined ? 0 : Math.round((nowMs - behindSinceMs) / 1_000);
  return `${lag} changes are not published, for ${seconds} s${failure === undefined ? '' : `: ${failure}`}`;
}

/** Of each sink; only the registry that holds the lease knows them. */
function addMetrics(registry: Registry, publisher: Pick<Publisher, 'state'>, now: () => number): void {
  const gauge = (name: string, help: string, read: (state: SinkState) => number | undefined): void => {
    const made: Gauge<'sink'> = new Gauge({
      name: `imscope_registry_${name}`,
      help,
      labelNames: ['sink'],
      registers: [registry],
      collect: () => {
        made.reset();
        for (const state of publisher.state()) {
          const value = read(state);
          if (value !== undefined) made.set({ sink: state.sink }, value);
        }
      },
    });
  };
  gauge('distribution_lag_changes', 'changes that a sink does not have yet', ({ lag }) => lag);
  gauge('distribution_lag_seconds', 'seconds since when a sink is behind', ({ lag, behindSinceMs }) => {
    if (lag === undefined) return undefined;
    return behindSinceMs === undefined ? 0 : Math.max(0, now() - behindSinceMs) / 1_000;
  });
  gauge('distribution_connected', '1 while a sink can be written, else 0', ({ lag, failure }) => {
    if (lag === undefined && failure === undefined) return undefined;
    return failure === undefined ? 1 : 0;
  });
  gauge('distribution_published', 'changes published since the start', ({ published }) => published);
  gauge(
    'distribution_republished',
    'how often everything was published since the start',
    ({ republished }) => republished,
  );
}
