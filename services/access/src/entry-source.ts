/* Where distributed entries come from: Redis or the compacted topic; and what a source tells its receiver. */
import type { EntryChange, EntryPosition } from '@imscope/schemas/registry-entry.js';

export type EntrySource = {
  /** For messages, such as `Redis at 10.0.0.1:6379`. */
  readonly name: string;
  /** Begins to read, and goes on until `stop`, whatever fails. */
  start(receiver: EntryReceiver): void;
  stop(): Promise<void>;
};

/** Keys that could not be read are there without a change: what is known of them stays. */
export type CompleteEntries = ReadonlyMap<string, EntryChange | undefined>;

export type EntryReceiver = {
  /** How new the receiver's copy is. */
  readonly position: () => EntryPosition | undefined;
  /** All keys in force; others are deleted. Resolves once it is in force. */
  replace(entries: CompleteEntries, position: EntryPosition): Promise<void>;
  /** Changes in the order of their revisions, the position after them. */
  change(changes: readonly EntryChange[], position: EntryPosition): void;
  /** An entry that could not be read was skipped. */
  malformed(key: string): void;
  /** The source was asked just now, and has nothing newer. */
  current(): void;
  /** Why the source cannot be read now. Called again while it fails. */
  failing(why: string): void;
};
