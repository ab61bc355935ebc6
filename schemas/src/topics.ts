/*
 * The Kafka topics: names, what they carry and the settings that retention rests on. Terms add up: how late
 * an event may be + how long it may wait at the edge + topic retention + one segment stays within what is
 * promised (logs 24 + 24 + 72 + 1 = 121 h of 168; metrics 1 + 12 + 24 + 1 = 38 h of 48; dead letters hold
 * logs, so 121 + 46 + 1 = 168 h).
 */
const HOUR_MS = 3_600_000;

export type TopicName = 'im.request-log' | 'im.interface-metric' | 'im.edge-account' | 'im.dead-letter';

export type TopicDefinition = { readonly name: TopicName; readonly retentionHours: number };

export const TOPICS = {
  requestLog: { name: 'im.request-log', retentionHours: 72 },
  interfaceMetric: { name: 'im.interface-metric', retentionHours: 24 },
  edgeAccount: { name: 'im.edge-account', retentionHours: 72 },
  deadLetter: { name: 'im.dead-letter', retentionHours: 46 },
} as const satisfies Record<string, TopicDefinition>;

/** Our messages stay below 900 kB; the broker takes 1 MiB, so that headers and framing always fit. */
export const MESSAGE_BYTES_MAX = 900_000;
const BROKER_MESSAGE_BYTES_MAX = 1 << 20;

/** The broker settings of a topic, as Kafka names them. */
export function topicSettings(topic: TopicDefinition): Readonly<Record<string, string>> {
  return {
    'cleanup.policy': 'delete',
    'retention.ms': String(topic.retentionHours * HOUR_MS),
    'segment.ms': String(HOUR_MS),
    'message.timestamp.type': 'LogAppendTime',
    'max.message.bytes': String(BROKER_MESSAGE_BYTES_MAX),
    'compression.type': 'producer',
  };
}
