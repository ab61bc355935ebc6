/*
 * A batch that stands in the spool and is to be sent under its id until Kafka has it. Its container is kept in
 * memory only while somebody waits for it; afterwards it is read back.
 */
import type { BatchHead } from '../spool/batch-entry.js';
import type { Location } from '../spool/segment.js';

export type LoggedBatch = {
  /** Changes together with `location` where the batch is moved within the log. */
  head: BatchHead;
  location: Location;
  /** What it counts in its partition's queue. */
  readonly bytes: number;
  /** The message's value; undefined once it was given up to the spool. */
  container: Buffer | undefined;
  state: 'waiting' | 'moving' | 'resolved';
  /** Called once, when Kafka has it. */
  readonly onAcknowledged: () => void;
};
