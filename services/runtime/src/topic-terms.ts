/*
 * The topics' retention and segments as the brokers have them, held against the terms. What the brokers do not tell is
 * refused: a topic that keeps messages for ever looks the same as one that may not be asked about.
 */
import kafkajs, { type Admin } from 'kafkajs';
import {
  TOPIC_NAMES,
  termFaults,
  termsOf,
  type TopicKind,
  type TopicTerms,
} from '@imscope/schemas/retention.js';
import { kafkaErrorType } from './kafka-error.js';
import type { CheckedTermSettings } from './term-settings.js';

/** Undefined where a topic is not there. */
export type TopicTermsRead = Readonly<Record<TopicKind, TopicTerms | undefined>>;

export type TopicConfig = {
  readonly values: ReadonlyMap<string, string>;
  /** Those that were set for this topic, in difference to the broker's defaults. */
  readonly own: ReadonlyMap<string, string>;
};

const DENIED: ReadonlySet<string> = new Set(['TOPIC_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED']);

export class TopicSettingsDeniedError extends Error {
  constructor(topic: string, cause: unknown) {
    super(
      `the brokers do not tell the settings of topic ${topic} (${kafkaErrorType(cause)}), so nobody knows how long it ` +
        'keeps messages: allow DescribeConfigs on it, or set TOPIC_SETTINGS_READABLE=false once all topics have the ' +
        'retention that REQUEST_LOG_TOPIC_HOURS and DEAD_LETTER_HOURS stand for',
      { cause },
    );
    this.name = 'TopicSettingsDeniedError';
  }
}

/**
 * The settings of one topic; undefined where it is not there.
 * @throws TopicSettingsDeniedError where the brokers do not tell; Error where they do not answer
 */
export async function readTopicConfig(
  admin: Pick<Admin, 'describeConfigs'>,
  topic: string,
): Promise<TopicConfig | undefined> {
  try {
    const { resources } = await admin.describeConfigs({
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
      includeSynonyms: false,
    });
    const entries = resources.flatMap(({ configEntries }) => configEntries);
    const pairs = (list: typeof entries): Map<string, string> =>
      new Map(list.map(({ configName, configValue }) => [configName, configValue]));
    return {
      values: pairs(entries),
      own: pairs(entries.filter(({ configSource }) => configSource === kafkajs.ConfigSource.TOPIC_CONFIG)),
    };
  } catch (error) {
    const type = kafkaErrorType(error);
    if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
    if (DENIED.has(type)) throw new TopicSettingsDeniedError(topic, error);
    throw error;
  }
}

/** @throws as `readTopicConfig` does */
export async function readTopicTerms(
  admin: Pick<Admin, 'describeConfigs'>,
  prefix: string,
): Promise<TopicTermsRead> {
  const read = async (kind: TopicKind): Promise<TopicTerms | undefined> => {
    const config = await readTopicConfig(admin, prefix + TOPIC_NAMES[kind]);
    return config === undefined ? undefined : termsOfTopic(config);
  };
  const [requestLog, interfaceMetric, edgeAccount, deadLetter] = await Promise.all([
    read('requestLog'),
    read('interfaceMetric'),
    read('edgeAccount'),
    read('deadLetter'),
  ]);
  return { requestLog, interfaceMetric, edgeAccount, deadLetter };
}

/** A policy without `delete`, and -1, keep messages for ever; so does a value that cannot be read. */
export function termsOfTopic({ values }: Pick<TopicConfig, 'values'>): TopicTerms {
  const deletes = (values.get('cleanup.policy') ?? '').split(',').includes('delete');
  const segmentMs = lengthMs(values.get('segment.ms'));
  return deletes
    ? { retentionMs: lengthMs(values.get('retention.ms')), segmentMs }
    : { retentionMs: Number.POSITIVE_INFINITY, segmentMs, keepsAll: true };
}

function lengthMs(text: string | undefined): number {
  return text !== undefined && /^\d{1,19}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
}

/**
 * What of the topics does not add up, a sentence each; empty where all does.
 * @param read the brokers' word; not asked where the settings state it
 * @throws Error where the brokers do not answer
 */
export async function topicFaults(
  settings: CheckedTermSettings & { readonly kafkaTopicPrefix: string },
  read: () => Promise<TopicTermsRead>,
): Promise<string[]> {
  // The settings' own sum is checked before a start.
  if (!settings.topicSettingsReadable) return [];
  try {
    return termFaults(termsOf(settings, await read(), settings.kafkaTopicPrefix));
  } catch (error) {
    if (error instanceof TopicSettingsDeniedError) return [error.message];
    throw error;
  }
}
