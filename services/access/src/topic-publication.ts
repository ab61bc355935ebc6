/*
 * The messages of the compacted topic, in order, into calls of the receiver. Everything from the beginning is gathered
 * first: on its way through old messages a revoked token must not become valid again. Pure.
 */
import { type EntryChange, EntryPosition, PUBLICATION_KEYS } from '@imscope/schemas/registry-entry.js';
import { Value } from 'typebox/value';
import { parseEntryChange } from './entry-change.js';
import type { EntryReceiver } from './entry-source.js';

export type TopicMessage = { readonly key: string; readonly value: string | undefined };

export class TopicPublication {
  readonly #receiver: EntryReceiver;
  /** What is gathered until it is complete; undefined while changes go to the receiver one by one. */
  #gathered: Map<string, EntryChange | undefined> | undefined = new Map();
  /** Of the last complete publication. */
  #position: EntryPosition | undefined;
  /** True once the end of the topic was reached. */
  #isLive = false;
  /** A publication began, and is not complete. */
  #isPublishing = false;

  constructor(receiver: EntryReceiver) {
    this.#receiver = receiver;
  }

  /** False while no complete publication was read. */
  get isComplete(): boolean {
    return this.#position !== undefined;
  }

  /** @param messages in the order of their offsets */
  async accept(messages: readonly TopicMessage[]): Promise<void> {
    let changes: EntryChange[] = [];
    const flush = (): void => {
      if (changes.length > 0 && this.#position !== undefined) this.#receiver.change(changes, this.#position);
      changes = [];
    };
    for (const { key, value } of messages) {
      if (key === PUBLICATION_KEYS.begin) this.#begin();
      else if (key === PUBLICATION_KEYS.complete) {
        flush();
        await this.#complete(value ?? '');
      } else {
        const change = this.#read(key, value);
        this.#gathered?.set(key, change);
        if (change === undefined) continue;
        if (this.#position !== undefined) this.#position = newer(this.#position, change);
        if (this.#isLive) changes.push(change);
      }
    }
    flush();
  }

  /** The end of the topic is reached. */
  async caughtUp(): Promise<void> {
    if (this.#isLive) return;
    if (this.#position === undefined || this.#isPublishing) return;
    this.#isLive = true;
    await this.#putInForce();
  }

  #begin(): void {
    this.#gathered = new Map();
    this.#isPublishing = true;
  }

  async #complete(value: string): Promise<void> {
    const position = readPosition(value);
    if (position === undefined) {
      this.#receiver.malformed(PUBLICATION_KEYS.complete);
      return;
    }
    this.#position = position;
    this.#isPublishing = false;
    if (this.#isLive) await this.#putInForce();
  }

  async #putInForce(): Promise<void> {
    const gathered = this.#gathered;
    this.#gathered = undefined;
    if (gathered !== undefined && this.#position !== undefined) {
      await this.#receiver.replace(gathered, this.#position);
    }
  }

  /** No value is Kafka's own deletion. */
  #read(key: string, value: string | undefined): EntryChange | undefined {
    if (value === undefined)
      return { key, revision: Math.max(1, this.#position?.revision ?? 1), entry: null };
    const change = parseEntryChange(value, key);
    if (change === undefined) this.#receiver.malformed(key);
    return change;
  }
}

function newer(position: EntryPosition, { revision }: EntryChange): EntryPosition {
  return revision > position.revision ? { ...position, revision } : position;
}

function readPosition(value: string): EntryPosition | undefined {
  try {
    const parsed: unknown = JSON.parse(value);
    return Value.Check(EntryPosition, parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
