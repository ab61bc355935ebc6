/* Settings of what distributes to collectors, agents and query services: Redis, the compacted topic, or both. */
import { flag, integer, secret, type Settings, text } from '@imscope/runtime/config.js';
import { KAFKA_SETTINGS } from '@imscope/runtime/kafka-client.js';

export const DISTRIBUTION_SETTINGS = {
  redisUrl: text({
    default: '',
    pattern: /^rediss?:\/\/([^:@\s/]+@)?[^@\s]+$/,
    allowed: 'redis://user@host:6379 or rediss://…, without a password',
    purpose: 'Redis that receives what collectors and query services obey; not set: none',
  }),
  redisPassword: secret({ default: '', purpose: 'password at Redis' }),
  redisPrefix: text({
    default: 'imscope',
    pattern: /^[\w.-]{1,64}$/,
    purpose: 'prefix of every key in Redis',
  }),
  registryTopic: flag({
    default: false,
    purpose:
      'true: the topic im.registry-entry of KAFKA_BROKERS receives what collectors, agents and query services obey; it is created where it is missing',
  }),
  registryTopicReplication: integer({
    default: 1,
    min: 1,
    max: 9,
    purpose: 'replicas of that topic when it is created',
  }),
  // Read only where REGISTRY_TOPIC is true.
  ...KAFKA_SETTINGS,
} satisfies Settings;
