/* A silent kafkajs client for scripts and tests, with the patches of runtime applied. */
import { preventNeedlessTimers } from '@imscope/runtime/kafkajs/needless-timers.js';
import { Kafka, type KafkaConfig, logLevel } from 'kafkajs';

/** @param address host:port */
export function openKafka(address: string, more: Omit<KafkaConfig, 'brokers'> = {}): Kafka {
  preventNeedlessTimers();
  return new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, ...more });
}
