/* Opens the one source of tokens and applications that the settings name. */
import { createKafka, type KafkaSettings } from '@imscope/runtime/kafka-client.js';
import type { Logger } from '@imscope/runtime/logger.js';
import { type Applications, withoutApplications } from './applications.js';
import { openApplicationsFile } from './applications-file.js';
import type { EntrySource } from './entry-source.js';
import type { SourceSettings } from './source-settings.js';

export type OpenApplicationsOptions = {
  /** Of this service, for the connections' names. */
  readonly clientName: string;
  readonly logger: Logger;
  /** Called with the reason while nothing is known yet, and without one when it is. */
  readonly report: (failure?: string) => void;
};

/**
 * Does not wait for Redis or Kafka.
 * @throws Error where the applications file is missing or malformed: a service does not start without it
 */
export async function openApplications(
  config: SourceSettings & KafkaSettings,
  options: OpenApplicationsOptions,
): Promise<Applications> {
  const { logger, report } = options;
  if (config.registryFile !== '') return openApplicationsFile(config.registryFile, logger);
  const source = await openSource(config, options);
  if (source === undefined) return withoutApplications();
  const { openDistributedApplications } = await import('./distributed-applications.js');
  return openDistributedApplications({ source, cacheFile: config.registryCacheFile, logger, report });
}

/** The clients are loaded only where they are used: they need memory, and an agent has little. */
async function openSource(
  config: SourceSettings & KafkaSettings,
  { clientName, logger }: OpenApplicationsOptions,
): Promise<EntrySource | undefined> {
  const { registryRedisUrl: url, registryRedisUser: user, registryRedisPassword: password } = config;
  if (url !== '') {
    const { createRedisSource } = await import('./redis-source.js');
    return createRedisSource({ url, user, password, prefix: config.registryRedisPrefix }, clientName);
  }
  if (!config.registryTopic) return undefined;
  const { createTopicSource } = await import('./topic-source.js');
  return createTopicSource({
    kafka: createKafka(config, `${clientName}-registry`, logger),
    prefix: config.kafkaTopicPrefix,
    brokers: config.kafkaBrokers.join(','),
  });
}
