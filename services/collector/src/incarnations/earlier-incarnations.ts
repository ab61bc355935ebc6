/*
 * The incarnations that earlier processes left in the spool. They are read one after another and sent in parallel; each
 * is deleted once Kafka has acknowledged all of it. One that cannot be read is logged and kept, and delays nothing.
 */
import type { Incarnation } from './incarnation.js';
import { recoverIncarnation, type RecoverOptions } from './recover-incarnation.js';
import type { Spool } from '../spool/spool.js';

export type EarlierIncarnationsOptions = Omit<RecoverOptions, 'id' | 'directory'> & {
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

  /** Reads everything that was left and begins to send it. Never rejects. */
  recover(): Promise<void> {
    this.#recovering = this.#recoverAll();
    return this.#recovering;
  }

  /** Stops sending. @returns how many batches are left for the next start */
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
        const incarnation = await recoverIncarnation({ ...this.#options, id, directory, signal });
        if (incarnation === undefined) continue;
        this.#incarnations.add(incarnation);
        this.#finishing.push(this.#finish(incarnation));
      } catch (error) {
        logger.error({ err: error, boot: id }, 'an earlier incarnation cannot be recovered: its log is kept');
      }
    }
    keyedIds.completed();
  }

  async #finish(incarnation: Incarnation): Promise<number> {
    const { logger } = this.#options;
    try {
      const left = await incarnation.log.finish(Number.POSITIVE_INFINITY, this.#stopping.signal);
      if (left === 0)
        logger.info({ boot: incarnation.id }, 'Kafka has acknowledged everything of an earlier incarnation');
      this.#incarnations.delete(incarnation);
      return left;
    } catch (error) {
      logger.error(
        { err: error, boot: incarnation.id },
        'the log of an earlier incarnation cannot be finished',
      );
      return 0;
    }
  }
}
