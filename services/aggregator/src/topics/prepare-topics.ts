/*
 * Creates missing topics and brings the terms of existing ones to what the settings say: retention, segment and the
 * policy that deletes. Everything else that was set for a topic stays as it is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createKafka, createTopics, type KafkaSettings } from '@imscope/runtime/kafka-client.js';
import type { Logger } from '@imscope/runtime/logger.js';
import { readTopicConfig } from '@imscope/runtime/topic-terms.js';
import { plannedTopicTerms, type TermSettings } from '@imscope/schemas/retention.js';
import { type TopicDefinition, topicSettings, topicsWith } from '@imscope/schemas/topics.js';
import kafkajs, { type Admin } from 'kafkajs';

const TERM_NAMES = ['cleanup.policy', 'retention.ms', 'segment.ms'] as const;
/** Until the brokers have changed settings from their controller. */
const CHANGED_MS_MAX = 30_000;
const CHANGED_POLL_MS = 100;

export type TopicSettings = KafkaSettings &
  TermSettings & {
    readonly topicSettingsReadable: boolean;
    readonly topicPartitions: number;
    readonly topicReplication: number;
  };

type Change = { readonly name: string; readonly from: string; readonly to: string };

/** @returns lines that say what was done, or would be */
export async function prepareTopics(
  config: TopicSettings,
  dryRun: boolean,
  logger: Logger,
): Promise<string[]> {
  const admin = createKafka(config, 'imscope-prepare', logger).admin();
  await admin.connect();
  try {
    const prefix = config.kafkaTopicPrefix;
    const topics = Object.values(topicsWith(plannedTopicTerms(config)));
    const present = new Set(await admin.listTopics());
    const changed: string[] = [];
    // What may not be read may not be compared: the operator answers for it.
    if (config.topicSettingsReadable) {
      for (const topic of topics.filter(({ name }) => present.has(prefix + name))) {
        changed.push(...(await alignTopic(admin, topic, prefix + topic.name, dryRun)));
      }
    }
    if (dryRun) {
      const missing = topics.map(({ name }) => prefix + name).filter((name) => !present.has(name));
      return [...changed, ...missing.map((name) => `would create topic ${name}`)];
    }
    const created = await createTopics(admin, topics, {
      prefix,
      partitions: config.topicPartitions,
      replicationFactor: config.topicReplication,
    });
    return [...changed, ...created.map((name) => `created topic ${name}`)];
  } finally {
    await admin.disconnect();
  }
}

async function alignTopic(
  admin: Admin,
  topic: TopicDefinition,
  name: string,
  dryRun: boolean,
): Promise<string[]> {
  const changes = await changesOf(admin, topic, name);
  if (changes.length === 0) return [];
  const verb = dryRun ? 'would set' : 'set';
  const lines = changes.map(
    ({ name: setting, from, to }) => `${verb} ${setting} of topic ${name} from ${from} to ${to}`,
  );
  if (dryRun) return lines;
  // AlterConfigs sets what it does not name back to the broker's default.
  const own = new Map((await readTopicConfig(admin, name))?.own ?? []);
  for (const { name: setting, to } of changes) own.set(setting, to);
  const configEntries = Array.from(own, ([setting, value]) => ({ name: setting, value }));
  try {
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configEntries }],
    });
  } catch (error) {
    const wanted = changes
      .map(({ name: setting, from, to }) => `${setting}=${to} (it is ${from})`)
      .join(', ');
    throw new Error(
      `topic ${name} cannot be changed (${error instanceof Error ? error.message : String(error)}): ` +
        `set ${wanted} by hand, and run prepare again`,
      { cause: error },
    );
  }
  await untilChanged(admin, topic, name);
  return lines;
}

async function changesOf(admin: Admin, topic: TopicDefinition, name: string): Promise<Change[]> {
  const wanted = topicSettings(topic);
  const values = (await readTopicConfig(admin, name))?.values ?? new Map<string, string>();
  return TERM_NAMES.flatMap((setting) => {
    const [from, to] = [values.get(setting) ?? 'unknown', wanted[setting] ?? ''];
    return from === to ? [] : [{ name: setting, from, to }];
  });
}

async function untilChanged(admin: Admin, topic: TopicDefinition, name: string): Promise<void> {
  const deadlineMs = performance.now() + CHANGED_MS_MAX;
  for (;;) {
    const [left] = await changesOf(admin, topic, name);
    if (left === undefined) return;
    if (performance.now() > deadlineMs) {
      throw new Error(
        `topic ${name} still has ${left.name}=${left.from}, not ${left.to}: check the brokers' logs`,
      );
    }
    await sleep(CHANGED_POLL_MS);
  }
}
