/*
 * The Kafka topics: what they carry, and their settings, whose terms are stated in `retention.ts`.
 */
import {
  DEFAULT_TERMS,
  plannedTopicTerms,
  TOPIC_NAMES,
  type TopicKind,
  type TopicTerms,
  type TopicTermsByKind,
} from './retention.js';

export type TopicName = (typeof TOPIC_NAMES)[TopicKind];

export type TopicDefinition = { readonly name: TopicName } & TopicTerms;

type Topics = { readonly [K in TopicKind]: { readonly name: (typeof TOPIC_NAMES)[K] } & TopicTerms };

/** The topics with the retention and segment that these terms ask for. */
export function topicsWith(terms: TopicTermsByKind): Topics {
  return {
    requestLog: { name: TOPIC_NAMES.requestLog, ...terms.requestLog },
    interfaceMetric: { name: TOPIC_NAMES.interfaceMetric, ...terms.interfaceMetric },
    edgeAccount: { name: TOPIC_NAMES.edgeAccount, ...terms.edgeAccount },
    deadLetter: { name: TOPIC_NAMES.deadLetter, ...terms.deadLetter },
  };
}

/** The topics with the default terms. */
export const TOPICS = topicsWith(plannedTopicTerms(DEFAULT_TERMS));

/** Messages stay below 900 kB; the broker accepts 1 MiB, so that headers and framing always fit. */
export const MESSAGE_BYTES_MAX = 900_000;
const BROKER_MESSAGE_BYTES_MAX = 1 << 20;
/** A dead letter is a message of another topic with a few more headers. */
const DEAD_LETTER_HEADERS_BYTES_MAX = 64 << 10;

/** The broker settings of a topic, as Kafka names them. */
export function topicSettings(topic: TopicDefinition): Readonly<Record<string, string>> {
  const headersBytes = topic.name === TOPICS.deadLetter.name ? DEAD_LETTER_HEADERS_BYTES_MAX : 0;
  return {
    'cleanup.policy': 'delete',
    'retention.ms': String(topic.retentionMs),
    'segment.ms': String(topic.segmentMs),
    'message.timestamp.type': 'LogAppendTime',
    'max.message.bytes': String(BROKER_MESSAGE_BYTES_MAX + headersBytes),
    // Values are compressed already. If a producer compresses a message again, the broker decompresses it, within the
    // bound above: a codec that a reader lacks, or a decompression bomb, would stop its partition.
    'compression.type': 'uncompressed',
  };
}
