/*
 * The Kafka topics: names, what they carry and the settings that retention rests on, which `retention.ts` states.
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
    'retention.ms': String(topic.retentionMs),
    'segment.ms': String(topic.segmentMs),
    'message.timestamp.type': 'LogAppendTime',
    'max.message.bytes': String(BROKER_MESSAGE_BYTES_MAX + headersBytes),
    // Values are packed already. What some producer packs once more the broker unpacks, within the bound above: a
    // codec that a reader lacks, or a bomb, would stop its partition.
    'compression.type': 'uncompressed',
  };
}
