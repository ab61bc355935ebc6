/*
 * The terms of topics and tables before anything is stored: an aggregator refuses to start where one of them does not
 * add up, and waits while the store cannot say.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createKafka, type KafkaSettings } from '@imscope/runtime/kafka-client.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Readiness } from '@imscope/runtime/readiness.js';
import { SettingsError } from '@imscope/runtime/settings-error.js';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { readTopicTerms, topicFaults } from '@imscope/runtime/topic-terms.js';
import { storeFaults } from './store-terms.js';

/** Settings of Kafka, and the terms to check. */
export type TopicCheckSettings = KafkaSettings & Parameters<typeof topicFaults>[0];

const PAUSE_MS = 1_000;

/** @throws SettingsError where terms do not add up; Error where Kafka does not answer */
export async function checkTerms(
  config: TopicCheckSettings,
  parts: {
    readonly store: Pick<ClickHouseClient, 'query'>;
    readonly logger: Logger;
    readonly readiness: Readiness;
  },
): Promise<void> {
  const ofTopics = await readTopicFaults(config, parts.logger);
  const faults = [...ofTopics, ...(await readStoreFaults(parts))];
  if (faults.length > 0) throw new SettingsError(faults);
}

export async function readTopicFaults(config: TopicCheckSettings, logger: Logger): Promise<string[]> {
  const admin = createKafka(config, 'imscope-aggregator', logger).admin();
  await admin.connect();
  try {
    return await topicFaults(config, () => readTopicTerms(admin, config.kafkaTopicPrefix));
  } finally {
    await admin.disconnect();
  }
}

/** The store may start later than its aggregators: until it answers, `/ready` names it. */
async function readStoreFaults({
  store,
  logger,
  readiness,
}: Parameters<typeof checkTerms>[1]): Promise<string[]> {
  for (;;) {
    try {
      const faults = await storeFaults(store);
      readiness.report('store');
      return faults;
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      readiness.report('store', failure);
      logger.warn({ failure }, 'the store does not say how long its tables keep rows: trying again');
      await sleep(PAUSE_MS * (0.5 + Math.random()));
    }
  }
}
