/* A partition as the ledger names it: one epoch of one partition of a topic of a Kafka cluster. */
export type Place = {
  readonly cluster: string;
  /** With the deployment's prefix. */
  readonly topic: string;
  readonly epoch: number;
  readonly partition: number;
};

export function isSamePlace(a: Place, b: Place): boolean {
  return a.cluster === b.cluster && a.topic === b.topic && a.epoch === b.epoch && a.partition === b.partition;
}
