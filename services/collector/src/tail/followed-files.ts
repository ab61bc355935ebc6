/*
 * All followed files: opens new ones, and keeps renamed or deleted ones open until nothing more is written to them. A
 * file that cannot be opened is logged once and retried.
 */
import { errorMessage } from '@imscope/runtime/error-message.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Checkpoint } from './checkpoint.js';
import { findFiles, findRenamed } from './find-files.js';
import { FollowedFile } from './followed-file.js';
import type { TailMetrics } from './tail-metrics.js';

export type FollowedFilesOptions = {
  readonly patterns: readonly string[];
  readonly checkpoint: Pick<Checkpoint, 'seen'> & {
    readonly positions: Pick<Checkpoint['positions'], 'get' | 'list'>;
  };
  readonly metrics: Pick<TailMetrics, 'failures'>;
  readonly logger: Logger;
};

export class FollowedFiles {
  readonly #options: FollowedFilesOptions;
  readonly #files = new Map<string, FollowedFile>();
  /** Path → why it could not be opened. */
  readonly #failing = new Map<string, string>();

  constructor(options: FollowedFilesOptions) {
    this.#options = options;
  }

  get list(): readonly FollowedFile[] {
    return [...this.#files.values()];
  }

  /** Opens files that an earlier process had not read to their end, and that were renamed since. */
  async openRenamed(): Promise<void> {
    const { checkpoint, patterns } = this.#options;
    const found = await findFiles(patterns);
    for (const { inode, path } of checkpoint.positions.list) {
      if (found.has(inode)) continue;
      const renamed = await findRenamed(path, inode);
      if (renamed === undefined) continue;
      const file = await this.#open(renamed);
      // Another file may have its inode: then it is not one of the followed files.
      if (file === undefined) continue;
      if (file.resumed) this.#follow(file, performance.now());
      else await file.close();
    }
  }

  /** Finds new files and those that are gone. @param nowMs monotonic */
  async scan(nowMs: number): Promise<void> {
    const { patterns, checkpoint } = this.#options;
    const found = await findFiles(patterns);
    for (const file of this.#files.values()) {
      const path = found.get(file.inode);
      if (path === undefined) file.goneSinceMs ??= nowMs;
      else {
        file.path = path;
        file.goneSinceMs = undefined;
      }
    }
    for (const [inode, path] of found) {
      if (this.#files.has(inode)) continue;
      const file = await this.#open(path);
      if (file !== undefined) this.#follow(file, undefined);
    }
    for (const inode of this.#files.keys()) checkpoint.seen(inode, Date.now());
    const paths = new Set(found.values());
    for (const path of this.#failing.keys()) if (!paths.has(path)) this.#failing.delete(path);
  }

  /** Closes a file that is finished, or cannot be read. */
  async drop(file: FollowedFile): Promise<void> {
    this.#files.delete(file.inode);
    await file.close();
  }

  async close(): Promise<void> {
    for (const file of this.list) await this.drop(file);
  }

  #follow(file: FollowedFile, goneSinceMs: number | undefined): void {
    const known = this.#files.get(file.inode);
    if (known !== undefined) {
      void file.close();
      return;
    }
    file.goneSinceMs = goneSinceMs;
    this.#files.set(file.inode, file);
  }

  async #open(path: string): Promise<FollowedFile | undefined> {
    const { checkpoint, metrics, logger } = this.#options;
    try {
      const file = await FollowedFile.open(path, (inode) => checkpoint.positions.get(inode));
      this.#failing.delete(path);
      return file;
    } catch (error) {
      const failure = errorMessage(error);
      if (this.#failing.get(path) !== failure) {
        metrics.failures.inc({ step: 'open' });
        logger.error({ path, failure }, 'a file to be tailed cannot be opened: it is retried');
      }
      this.#failing.set(path, failure);
      return undefined;
    }
  }
}
