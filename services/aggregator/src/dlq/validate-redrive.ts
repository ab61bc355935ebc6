/*
 * Whether a dead letter may be sent back to its partition, as far as the letter itself tells. Pure. Whether its batch is
 * stored already is checked afterwards.
 */
import type { DeadLetter, Origin } from './dead-letter-entry.js';
import { type Finding, inspectLetter } from './inspect-letter.js';
import { HOUR_MS, TOPIC_KINDS, TOPIC_NAMES, type TopicTermsByKind } from '@imscope/schemas/retention.js';
import type { PlacedBatch } from './stored-batches.js';
import type { Stream } from '../blocks/streams.js';

/** Why a letter stays where it is: a closed list. */
export type RefusalReason =
  /** It does not state its origin. */
  | 'no_origin'
  /** Its origin is a topic that the aggregator does not read. */
  | 'unknown_topic'
  /** The topic has fewer partitions now. */
  | 'partition_gone'
  /** Without a batch id it would count once more each time. */
  | 'no_batch_id'
  /** It is as unreadable as before. */
  | 'unreadable'
  /** New headers would mend it: `--mend`. */
  | 'mendable'
  /** A record of it would outlive its term in Kafka. */
  | 'expired'
  /** A keyed batch, and so much of the log is not stored yet that it cannot be searched there. */
  | 'behind';

export type Refusal = { readonly kind: 'refused'; readonly reason: RefusalReason; readonly text: string };

export type ReadyLetter = {
  readonly kind: 'ready';
  readonly target: Pick<Origin, 'topic' | 'partition'>;
  readonly batch: PlacedBatch;
  readonly records: number;
  readonly value: Buffer;
  readonly headers: DeadLetter['headers'];
  readonly mended: boolean;
};

export type RedriveRules = {
  /** By topic, prefix and all. */
  readonly streams: ReadonlyMap<string, Stream>;
  /** How many partitions a topic has. */
  readonly partitions: ReadonlyMap<string, number>;
  readonly mend: boolean;
  /** How long the topics keep messages. */
  readonly topicTerms: TopicTermsByKind;
};

export function validateRedrive(
  letter: DeadLetter,
  rules: RedriveRules,
  nowMs: number,
): ReadyLetter | Refusal {
  const { origin, batch, value, headers } = letter;
  if (origin === undefined) return refusal('no_origin', 'it does not say where it came from');
  const stream = rules.streams.get(origin.topic);
  if (stream === undefined) {
    return refusal('unknown_topic', `it came from ${origin.topic}, which the aggregator does not read`);
  }
  const partitions = rules.partitions.get(origin.topic) ?? 0;
  if (origin.partition >= partitions) {
    const text = `it came from partition ${origin.partition}, ${origin.topic} has ${partitions} now`;
    return refusal('partition_gone', text);
  }
  const finding = inspectLetter(letter, stream);
  if (finding.kind === 'unreadable' && batch !== undefined) {
    return refusal('unreadable', `${finding.fault}: ${finding.text}`);
  }
  if (batch === undefined || value === null) {
    return refusal(value === null ? 'unreadable' : 'no_batch_id', withoutBatch(finding));
  }
  if (finding.kind === 'unreadable') return refusal('unreadable', finding.text);
  const oldestMs = finding.eventTimes?.least;
  const keptMs = keptInKafkaMs(stream, rules.topicTerms);
  if (oldestMs !== undefined && oldestMs + stream.termHours * HOUR_MS < nowMs + keptMs) {
    const text =
      `its oldest record is of ${new Date(oldestMs).toISOString()}, allowed are ${stream.termHours} h: Kafka would ` +
      `keep it ${keptMs / HOUR_MS} h more`;
    return refusal('expired', text);
  }
  if (finding.kind === 'mendable' && !rules.mend) {
    return refusal('mendable', `${finding.fault}: ${finding.text}; its container decodes: --mend`);
  }
  const { topic, partition } = origin;
  return {
    kind: 'ready',
    target: { topic, partition },
    batch: { topic, partition, boot: batch.boot, sequence: batch.sequence },
    records: finding.records,
    value,
    headers: finding.kind === 'mendable' ? finding.headers : headers,
    mended: finding.kind === 'mendable',
  };
}

/** In the topic it goes back to, and then as a dead letter once more, each with its segment. */
function keptInKafkaMs({ topic }: Stream, terms: TopicTermsByKind): number {
  const own = TOPIC_KINDS.find((kind) => TOPIC_NAMES[kind] === topic.name);
  const kinds = own === undefined ? TOPIC_KINDS : ([own, 'deadLetter'] as const);
  return kinds.reduce((sum, kind) => sum + terms[kind].retentionMs + terms[kind].segmentMs, 0);
}

function withoutBatch(finding: Finding): string {
  const fault = finding.kind === 'readable' ? '' : `${finding.text}; `;
  return `${fault}without a batch id it would count once more each time`;
}

function refusal(reason: RefusalReason, text: string): Refusal {
  return { kind: 'refused', reason, text };
}
