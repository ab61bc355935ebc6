/*
 * The Kafka topics: names, what they carry and the settings that retention rests on. Terms add up: how late
 * an event may be + how long it may wait at the edge + topic retention + one segment stays within what is
 * promised (logs 24 + 24 + 72 + 1 = 121 h of 168; metrics 1 + 12 + 24 + 1 = 38 h of 48). Dead letters hold both, so
 * the shorter term binds them: 38 + 9 + 1 = 48 h.
 */
const HOUR_MS = 3_600_000;

export type TopicName = 'im.request-log' | 'im.interface-metric' | 'im.edge-account' | 'im.dead-letter';

export type TopicDefinition = { readonly name: TopicName; readonly retentionHours: number };

export const TOPICS = {
  requestLog: { name: 'im.request-log', retentionHours: 72 },
  interfaceMetric: { name: 'im.interface-metric', retentionHours: 24 },
  edgeAccount: { name: 'im.edge-account', retentionHours: 72 },
  deadLetter: { name: 'im.dead-letter', retentionHours: 9 },
} as const satisfies Record<string, TopicDefinition>;

/** How long a batch may wait at the edge before it expires there. */
export const EDGE_WAIT_HOURS = {
  [TOPICS.requestLog.name]: 24,
  [TOPICS.interfaceMetric.name]: 12,
  [TOPICS.edgeAccount.name]: 24,
} as const;

/** Our messages stay below 900 kB; the broker takes 1 MiB, so that headers and framing always fit. */
export const MESSAGE_BYTES_MAX = 900_000;
const BROKER_MESSAGE_BYTES_MAX = 1 << 20;
/** A dead letter is any message the other topics took, with a few headers more. */
const DEAD_LETTER_HEADERS_BYTES_MAX = 64 << 10;

/** The broker settings of a topic, as Kafka names them. */
export function topicSettings(topic: TopicDefinition): Readonly<Record<string, string>> {
  const headersBytes = topic.name === TOPICS.deadLetter.name ? DEAD_LETTER_HEADERS_BYTES_MAX : 0;
  return {
    'cleanup.policy': 'delete',
    'retention.ms': String(topic.retentionHours * HOUR_MS),
    'segment.ms': String(HOUR_MS),
    'message.timestamp.type': 'LogAppendTime',
    'max.message.bytes': String(BROKER_MESSAGE_BYTES_MAX + headersBytes),
    // Values are packed already. What some producer packs once more the broker unpacks, within the bound above: a
    // codec that a reader lacks, or a bomb, would stop its partition.
    'compression.type': 'uncompressed',
  };
}
