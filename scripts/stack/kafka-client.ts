/* kafkajs for scripts and tests that look at a broker themselves: silent, with what it gets wrong mended. */
import { setNoNeedlessTimers } from '@imscope/runtime/kafka-timers.js';
import { Kafka, type KafkaConfig, logLevel } from 'kafkajs';

/** @param address host:port */
export function openKafka(address: string, more: Omit<KafkaConfig, 'brokers'> = {}): Kafka {
  setNoNeedlessTimers();
  return new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, ...more });
}
