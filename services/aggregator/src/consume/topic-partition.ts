/* One partition of a topic, and its key in maps and messages. */
export type TopicPartition = { readonly topic: string; readonly partition: number };

/** `topic:partition` */
export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}
