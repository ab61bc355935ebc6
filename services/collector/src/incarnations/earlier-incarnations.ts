/*
 * The boots that earlier processes left in the spool: read one after another, sent side by side, each gone once
 * Kafka has all of it. One that cannot be read stays where it is and is named; nothing waits for it.
 */
import type { Incarnation } from './incarnation.js';
import { recoverIncarnation, type RecoverOptions } from './recover-incarnation.js';
import type { Spool } from '../spool/spool.js';

export type EarlierIncarnationsOptions = Omit<RecoverOptions, 'boot' | 'directory'> & {
  readonly spool: Spool;
};

export class EarlierIncarnations {
  readonly #options: EarlierIncarnationsOptions;
  readonly #incarnations = new Set<Incarnation>();
  readonly #finishing: Promise<number>[] = [];
  readonly #stopping = new AbortController();
  #recovering: Promise<void> = Promise.resolve();

  constructor(options: EarlierIncarnationsOptions) {
    this.#options = options;
  }

  get incarnations(): readonly Incarnation[] {
    return [...this.#incarnations];
  }

  /** Reads all that was left and begins to send it. Never rejects. */
  recover(): Promise<void> {
    this.#recovering = this.#recoverAll();
    return this.#recovering;
  }

  /** Stops sending. Returns how many batches are left for the next start. */
  async stop(): Promise<number> {
    this.#stopping.abort();
    await this.#recovering;
    const left = await Promise.all(this.#finishing);
    return left.reduce((sum, batches) => sum + batches, 0);
  }

  async #recoverAll(): Promise<void> {
    const { spool, keyedIds, logger } = this.#options;
    for (const id of spool.earlierIncarnations) {
      if (this.#stopping.signal.aborted) return;
      try {
        const { signal } = this.#stopping;
        const directory = spool.incarnationDirectory(id);
        const incarnation = await recoverIncarnation({ ...this.#options, boot: id, directory, signal });
        if (incarnation === undefined) continue;
        this.#incarnations.add(incarnation);
        this.#finishing.push(this.#finish(incarnation));
      } catch (error) {
        logger.error(
          { err: error, boot: id },
          'what an earlier boot left cannot be taken over: it is left alone',
        );
      }
    }
    keyedIds.completed();
  }

  async #finish(incarnation: Incarnation): Promise<number> {
    const { logger } = this.#options;
    try {
      const left = await incarnation.log.finish(Number.POSITIVE_INFINITY, this.#stopping.signal);
      if (left === 0) logger.info({ boot: incarnation.id }, 'Kafka has all that an earlier boot left');
      this.#incarnations.delete(incarnation);
      return left;
    } catch (error) {
      logger.error({ err: error, boot: incarnation.id }, 'the log of an earlier boot cannot be finished');
      return 0;
    }
  }
}
