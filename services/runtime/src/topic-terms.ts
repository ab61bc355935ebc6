/*
 * Compares the retention and segments of topics, as the brokers report them, with the terms of retention. Brokers
 * that do not report them are refused, because a topic might keep messages forever.
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

/** Undefined where a topic does not exist. */
export type TopicTermsRead = Readonly<Record<TopicKind, TopicTerms | undefined>>;

export type TopicConfig = {
  readonly values: ReadonlyMap<string, string>;
  /** Values set for this topic, without the broker's defaults. */
  readonly own: ReadonlyMap<string, string>;
};

const DENIED: ReadonlySet<string> = new Set(['TOPIC_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED']);

export class TopicSettingsDeniedError extends Error {
  constructor(topic: string, cause: unknown) {
    super(
      `the brokers do not report the settings of topic ${topic} (${kafkaErrorType(cause)}), so it is unknown how long it ` +
        'keeps messages: allow DescribeConfigs on it, or set TOPIC_SETTINGS_READABLE=false once all topics have the ' +
        'retention of REQUEST_LOG_TOPIC_HOURS and DEAD_LETTER_HOURS',
      { cause },
    );
    this.name = 'TopicSettingsDeniedError';
  }
}

/**
 * The settings of one topic; undefined where it does not exist.
 * @throws TopicSettingsDeniedError where the brokers refuse to report them; Error where they do not answer
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

/** A policy without `delete`, retention -1, and a value that cannot be read count as unlimited. */
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
 * Faults of the topics' retention, one sentence each.
 * @param read reads the brokers' settings; not called where the settings state that topics have the right retention
 * @throws Error where the brokers do not answer
 */
export async function topicFaults(
  settings: CheckedTermSettings & { readonly kafkaTopicPrefix: string },
  read: () => Promise<TopicTermsRead>,
): Promise<string[]> {
  // The sum of the settings themselves is checked before the start.
  if (!settings.topicSettingsReadable) return [];
  try {
    return termFaults(termsOf(settings, await read(), settings.kafkaTopicPrefix));
  } catch (error) {
    if (error instanceof TopicSettingsDeniedError) return [error.message];
    throw error;
  }
}
