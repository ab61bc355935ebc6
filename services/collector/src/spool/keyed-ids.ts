/*
 * The batches of keyed requests that this collector has logged within the last hour, so that a repeated request is
 * answered and not counted again. Kept in files beside the log, one an hour, because a log may be deleted sooner.
 * Above the bound the oldest are forgotten: their repeated records are still stored once, but metrics count them twice.
 */
import { appendFile, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@imscope/runtime/logger.js';
import type { BatchId } from '@imscope/schemas/batch-headers.js';

export const KEY_MS = 3_600_000;
/** About 150 bytes each. */
const KEYS_MAX = 200_000;
const FILE = /^keys-(\d{1,10})\.log$/;
const LINE = /^(\d{1,15}) ([0-9a-z]{25}:\d{1,10}:\d{1,10})$/;

export class KeyedIds {
  readonly #directory: string;
  readonly #logger: Logger;
  /** Id → when it was logged, epoch milliseconds; in that order. */
  readonly #logged = new Map<string, number>();
  #lines = '';
  #writing: Promise<void> | undefined;
  /** False while logs of earlier incarnations are unread: an unknown id may be in them. */
  #complete = false;

  private constructor(directory: string, logger: Logger) {
    this.#directory = directory;
    this.#logger = logger;
  }

  /** Reads what earlier processes saved. Lines that cannot be read are skipped. */
  static async open(directory: string, logger: Logger, nowMs: number): Promise<KeyedIds> {
    const ids = new KeyedIds(directory, logger);
    const hours = (await readdir(directory))
      .map((name) => FILE.exec(name)?.[1])
      .filter((hour) => hour !== undefined);
    for (const hour of hours.toSorted((a, b) => Number(a) - Number(b))) {
      const path = join(directory, `keys-${hour}.log`);
      if ((Number(hour) + 2) * KEY_MS < nowMs) await rm(path, { force: true });
      else ids.#read(await readFile(path, 'utf8').catch(() => ''));
    }
    return ids;
  }

  get size(): number {
    return this.#logged.size;
  }

  /** False until the logs of all earlier incarnations are read. */
  get complete(): boolean {
    return this.#complete;
  }

  completed(): void {
    this.#complete = true;
  }

  /** True where a batch with this id was logged within the last hour. */
  has(id: BatchId, nowMs: number): boolean {
    const loggedMs = this.#logged.get(textOf(id));
    return loggedMs !== undefined && nowMs - loggedMs < KEY_MS;
  }

  remember(id: BatchId, loggedMs: number): void {
    const text = textOf(id);
    if (this.#logged.has(text)) return;
    this.#put(text, loggedMs);
    this.#lines += `${loggedMs} ${text}\n`;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Forgets what is older than an hour. */
  async forget(nowMs: number): Promise<void> {
    for (const [text, loggedMs] of this.#logged) {
      if (nowMs - loggedMs < KEY_MS) break;
      this.#logged.delete(text);
    }
    await rm(this.#path(nowMs - 3 * KEY_MS), { force: true });
  }

  async stop(): Promise<void> {
    await this.#writing;
  }

  #put(text: string, loggedMs: number): void {
    this.#logged.set(text, loggedMs);
    if (this.#logged.size <= KEYS_MAX) return;
    for (const oldest of this.#logged.keys()) {
      this.#logged.delete(oldest);
      break;
    }
  }

  #read(text: string): void {
    for (const line of text.split('\n')) {
      const [, loggedMs, id] = LINE.exec(line) ?? [];
      if (loggedMs !== undefined && id !== undefined) this.#put(id, Number(loggedMs));
    }
  }

  async #write(): Promise<void> {
    await Promise.resolve();
    while (this.#lines !== '') {
      const lines = this.#lines;
      this.#lines = '';
      try {
        await appendFile(this.#path(Date.now()), lines, { mode: 0o600 });
      } catch (error) {
        this.#logger.error({ err: error }, 'keys of requests cannot be written: a restart may forget them');
      }
    }
  }

  #path(ms: number): string {
    return join(this.#directory, `keys-${Math.floor(ms / KEY_MS)}.log`);
  }
}

function textOf({ boot, partition, sequence }: BatchId): string {
  return `${boot}:${partition}:${sequence}`;
}
