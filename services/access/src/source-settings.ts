/* Settings of the source of tokens and applications: the applications file, Redis, or the compacted topic. */
import { type Config, flag, secret, type Settings, text } from '@imscope/runtime/config.js';

export const SOURCE_SETTINGS = {
  registryFile: text({
    default: '',
    purpose:
      'applications file in JSON, where no registry distributes: tokens, limits, codes of applications',
  }),
  registryRedisUrl: text({
    default: '',
    pattern: /^rediss?:\/\/[^@\s/?#]+(?:\/\d{1,3})?$/,
    allowed:
      'redis://host:port or rediss://host:port, with /database behind it, and without user and password',
    purpose: 'Redis through which the registry distributes tokens and applications',
  }),
  registryRedisUser: text({ default: '', purpose: 'user at that Redis; not set: its default user' }),
  registryRedisPassword: secret({ default: '', purpose: 'password at that Redis' }),
  registryRedisPrefix: text({
    default: 'imscope',
    pattern: /^[\w.:-]{1,64}$/,
    allowed: 'up to 64 letters, digits, "_", ".", ":" or "-"',
    purpose: 'prefix of the keys and the channel in that Redis',
  }),
  registryTopic: flag({
    default: false,
    purpose: 'true: tokens and applications come through the topic im.registry-entry of KAFKA_BROKERS',
  }),
  registryCacheFile: text({
    default: '',
    purpose: 'file that keeps what Redis or the topic distributed, for a start while they are away',
  }),
} satisfies Settings;

export type SourceSettings = Config<typeof SOURCE_SETTINGS>;

/**
 * Faults of these settings together.
 * @param needed false where a service can do without tokens
 */
export function checkSourceSettings(settings: Partial<SourceSettings>, needed: boolean): string[] {
  const { registryFile = '', registryRedisUrl = '', registryTopic = false } = settings;
  const given = [
    ...(registryFile === '' ? [] : [`REGISTRY_FILE is "${registryFile}"`]),
    ...(registryRedisUrl === '' ? [] : [`REGISTRY_REDIS_URL is "${registryRedisUrl}"`]),
    ...(registryTopic ? ['REGISTRY_TOPIC is true'] : []),
  ];
  if (given.length > 1)
    return [`${given.join(' and ')}: tokens and applications have one source, keep one of them`];
  if (given.length === 1 || !needed) return [];
  return [
    'REGISTRY_FILE is not set, nor REGISTRY_REDIS_URL or REGISTRY_TOPIC: give the JSON file that says who may send ' +
      'and read, or the Redis or topic through which the registry distributes it',
  ];
}
