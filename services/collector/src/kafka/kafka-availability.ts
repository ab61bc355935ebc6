/*
 * Whether Kafka answers, as far as is known. While it is away, requests are accepted into the spool, and a probe runs
 * about once a second until it succeeds.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@imscope/runtime/logger.js';

const PROBE_INTERVAL_MS = 1_000;

export type KafkaAvailabilityOptions = {
  /** Resolves once Kafka answers. */
  readonly probe: () => Promise<void>;
  readonly logger: Logger;
  readonly onBack: () => void;
};

export class KafkaAvailability {
  readonly #options: KafkaAvailabilityOptions;
  #failure: string | undefined;
  #stopped = false;

  constructor(options: KafkaAvailabilityOptions) {
    this.#options = options;
  }

  /** Why Kafka counts as away; undefined while it counts as available. */
  get failure(): string | undefined {
    return this.#failure;
  }

  failed(failure: string): void {
    if (this.#failure !== undefined || this.#stopped) return;
    this.#failure = failure;
    this.#options.logger.warn({ failure }, 'Kafka is away: records are kept in the spool');
    void this.#probeUntilBack();
  }

  succeeded(): void {
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.#options.logger.info('Kafka is back');
    this.#options.onBack();
  }

  stop(): void {
    this.#stopped = true;
  }

  async #probeUntilBack(): Promise<void> {
    while (this.#failure !== undefined && !this.#stopped) {
      await sleep(PROBE_INTERVAL_MS * (0.5 + Math.random()));
      try {
        await this.#options.probe();
        this.succeeded();
      } catch (error) {
        this.#options.logger.debug({ err: error }, 'Kafka does not answer yet');
      }
    }
  }
}
