/*
 * Whether the topics keep messages no longer than the terms allow, beside this collector's own settings. A collector
 * that knows they do not refuses to start. Where Kafka is away at the start nobody knows yet: requests are accepted
 * into the spool, whose own bound holds, but nothing is sent before the brokers have said how long they keep it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SettingsError } from '@imscope/runtime/settings-error.js';
import { topicFaults } from '@imscope/runtime/topic-terms.js';
import type { CollectorContext } from './collector-context.js';
import type { KafkaProducer } from './kafka/kafka-producer.js';

/** Longest a start waits for the brokers' answer: one without Kafka goes on. */
const START_CHECK_MS_MAX = 3_000;

/**
 * @throws SettingsError where the terms do not add up, or the brokers do not tell; Error where they do not answer
 */
export async function checkTopicTerms(
  { config }: Pick<CollectorContext, 'config'>,
  producer: Pick<KafkaProducer, 'readTopicTerms'>,
): Promise<void> {
  const faults = await topicFaults(config, () => producer.readTopicTerms());
  if (faults.length > 0) throw new SettingsError(faults);
}

/** @returns whether the terms were checked; false where the brokers do not answer in time. Throws `SettingsError`. */
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
  // Its outcome after the wait is of no use: the probe asks again.
  checking.catch(() => undefined);
  return Promise.race([checking, sleep(START_CHECK_MS_MAX, false, { ref: false })]);
}
