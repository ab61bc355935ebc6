/*
 * A batch that is in the spool and is sent with its id until Kafka acknowledges it. Its container is in memory only
 * while requests wait for it; afterwards it is read from the spool.
 */
import type { BatchHead } from '../spool/batch-entry.js';
import type { Location } from '../spool/segment.js';

export type LoggedBatch = {
  /** Changes together with `location` when the batch is moved within the log. */
  head: BatchHead;
  location: Location;
  /** Its size in its partition's queue. */
  readonly bytes: number;
  /** The message's value; undefined once it is in the spool only. */
  container: Buffer | undefined;
  state: 'waiting' | 'moving' | 'resolved';
  /** Called once, when Kafka has acknowledged it. */
  readonly onAcknowledged: () => void;
};
