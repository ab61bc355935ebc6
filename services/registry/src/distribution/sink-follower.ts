/* Keeps one sink at the newest revision, and knows how far it is. */
import { errorMessage } from '@imscope/runtime/error-message.js';
import type { Logger } from '@imscope/runtime/logger.js';
import { type EntryChange } from '@imscope/schemas/registry-entry.js';
import type { Database } from '@imscope/state/database.js';
import { deletedKeys, entriesAfter, readPosition, savePosition } from '../rows/distribution-rows.js';
import { newestRevision } from '../rows/entries.js';
import type { RegistryTables } from '../rows/tables.js';
import type { ChangePages, EntrySink, SinkPosition } from './entry-sink.js';
import { readSinkPosition } from './sink-position.js';

/** Entries of one step. One is at most some 150 kB, and most are 200 bytes. */
const PAGE_ENTRIES = 500;

export type SinkState = {
  readonly sink: EntrySink['name'];
  /** Changes that are not in the sink yet; undefined: this process does not publish, or has not looked yet. */
  readonly lag: number | undefined;
  /** Epoch milliseconds since when it is behind; undefined while it is not. */
  readonly behindSinceMs: number | undefined;
  /** Why it cannot be written now. */
  readonly failure: string | undefined;
  readonly published: number;
  readonly republished: number;
};

export type SinkFollowerOptions = {
  readonly sink: EntrySink;
  readonly database: Database<RegistryTables>;
  readonly logger: Logger;
  readonly now: () => number;
  readonly newGeneration: () => string;
};

export class SinkFollower {
  readonly #options: SinkFollowerOptions;
  #position: SinkPosition | undefined;
  #isPositionRead = false;
  #forgetUpTo = 0;
  #state: SinkState;

  constructor(options: SinkFollowerOptions) {
    this.#options = options;
    this.#state = {
      sink: options.sink.name,
      lag: undefined,
      behindSinceMs: undefined,
      failure: undefined,
      published: 0,
      republished: 0,
    };
  }

  get state(): SinkState {
    return this.#state;
  }

  /** Another process may have published until now. */
  begin(): void {
    this.#isPositionRead = false;
  }

  /** Keys that were deleted up to this revision are to be removed. */
  forgetUpTo(revision: number): void {
    this.#forgetUpTo = revision;
  }

  /** Brings the sink to the newest revision. @returns false where it failed, and should be tried again */
  async publishNews(signal: AbortSignal): Promise<boolean> {
    const { sink, logger } = this.#options;
    try {
      await this.#publishNews(signal);
      if (this.#state.failure !== undefined) logger.info({ sink: sink.name }, 'entries are published again');
      this.#state = { ...this.#state, failure: undefined };
      return true;
    } catch (error) {
      const failure = errorMessage(error);
      if (failure !== this.#state.failure) {
        logger.error(
          { err: error, sink: sink.name },
          'entries are not published: receivers keep what they know',
        );
      }
      this.#state = { ...this.#state, failure };
      // What is in the sink now is read again.
      this.#isPositionRead = false;
      await sink.close();
      return false;
    }
  }

  async #publishNews(signal: AbortSignal): Promise<void> {
    const { sink, database } = this.#options;
    const newest = await newestRevision(database.kysely);
    this.#setLag(newest);
    if (!this.#isPositionRead) {
      this.#position = readSinkPosition(await readPosition(database.kysely, sink.name));
      this.#isPositionRead = true;
      this.#setLag(newest);
    }
    const position = this.#position;
    // A database that was restored from a backup is behind its sinks.
    if (position === undefined || position.revision > newest || !(await sink.isAt(position))) {
      await this.#republish(newest);
    }
    while (!signal.aborted && (await this.#publishPage())) this.#setLag(newest);
    this.#setLag(newest);
    await this.#forget();
  }

  async #republish(newest: number): Promise<void> {
    const { sink, database, logger, newGeneration } = this.#options;
    logger.info({ sink: sink.name, revision: newest }, 'all entries are published');
    const position = await sink.republish(allEntries(database), newGeneration(), newest);
    await this.#save(position);
    this.#state = { ...this.#state, republished: this.#state.republished + 1 };
  }

  /** @returns true where there may be more */
  async #publishPage(): Promise<boolean> {
    const { sink, database } = this.#options;
    const position = this.#position;
    if (position === undefined) return false;
    const changes = await entriesAfter(database.kysely, position.revision, PAGE_ENTRIES);
    if (changes.length === 0) return false;
    await this.#save(await sink.publish(changes, position));
    this.#state = { ...this.#state, published: this.#state.published + changes.length };
    return changes.length === PAGE_ENTRIES;
  }

  async #forget(): Promise<void> {
    const { sink, database } = this.#options;
    const upTo = this.#forgetUpTo;
    for (;;) {
      const position = this.#position;
      if (position === undefined || upTo <= position.forgotten || upTo > position.revision) return;
      const span = { after: position.forgotten, upTo };
      const deleted = await deletedKeys(database.kysely, span, PAGE_ENTRIES);
      const forgotten = deleted.at(-1)?.revision ?? upTo;
      const keys = deleted.map(({ key }) => key);
      await this.#save({ ...(await sink.forget(keys, forgotten, position)), forgotten });
    }
  }

  async #save(position: SinkPosition): Promise<void> {
    const { revision, ...detail } = position;
    await savePosition(this.#options.database, this.#options.sink.name, { revision, detail });
    this.#position = position;
  }

  #setLag(newest: number): void {
    const lag = Math.max(0, newest - (this.#position?.revision ?? 0));
    const { behindSinceMs = this.#options.now() } = this.#state;
    this.#state = { ...this.#state, lag, behindSinceMs: lag === 0 ? undefined : behindSinceMs };
  }
}

/** Everything in force. What changes meanwhile has a later revision, so it comes too. */
async function* allEntries(database: Database<RegistryTables>): ChangePages {
  let revision = 0;
  for (;;) {
    const changes: readonly EntryChange[] = await entriesAfter(database.kysely, revision, PAGE_ENTRIES);
    const last = changes.at(-1);
    if (last === undefined) return;
    const inForce = changes.filter(({ entry }) => entry !== null);
    if (inForce.length > 0) yield inForce;
    ({ revision } = last);
  }
}
