/*
 * Checks the retention of the topics against this collector's settings. A collector does not start where topics keep
 * messages longer than allowed. While Kafka is away at the start, requests are accepted into the spool, which has its
 * own bound, and nothing is sent until the brokers have answered how long they keep it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SettingsError } from '@imscope/runtime/settings-error.js';
import { topicFaults } from '@imscope/runtime/topic-terms.js';
import type { CollectorContext } from './collector-context.js';
import type { KafkaProducer } from './kafka/kafka-producer.js';

/** Longest that a start waits for the brokers' answer; then it continues without Kafka. */
const START_CHECK_MS_MAX = 3_000;

/**
 * @throws SettingsError where the retention does not fit, or the brokers may not tell it; Error where they do not answer
 */
export async function checkTopicTerms(
  { config }: Pick<CollectorContext, 'config'>,
  producer: Pick<KafkaProducer, 'readTopicTerms'>,
): Promise<void> {
  const faults = await topicFaults(config, () => producer.readTopicTerms());
  if (faults.length > 0) throw new SettingsError(faults);
}

/** @returns whether the retention was checked: false where the brokers do not answer in time. @throws SettingsError */
export async function checkTopicTermsAtStart(
  context: Pick<CollectorContext, 'config' | 'logger'>,
  producer: Pick<KafkaProducer, 'readTopicTerms'>,
): Promise<boolean> {
  const checking = checkTopicTerms(context, producer).then(
    () => true,
    (error: unknown) => {
      if (error instanceof SettingsError) throw error;
      context.logger.debug({ err: error }, 'Kafka does not say how long it keeps messages');
      return false;
    },
  );
  // A later outcome is ignored: the probe checks again.
  checking.catch(() => undefined);
  return Promise.race([checking, sleep(START_CHECK_MS_MAX, false, { ref: false })]);
}
