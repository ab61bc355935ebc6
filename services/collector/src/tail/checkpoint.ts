/*
 * The checkpoint of tailed files: the positions before which all lines are durable. A new file is written, synced and
 * renamed over the old one, so that one of them is always complete. Positions in the log of a killed process may be
 * newer, and are used then.
 */
import { open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from '@imscope/runtime/logger.js';
import { HOUR_MS, TERM_HOURS } from '@imscope/schemas/retention.js';
import { syncDirectory } from '../spool/segment.js';
import { Positions, type TailPosition } from '../spool/tail-position.js';

/** Some 300 bytes each. Above it, those seen longest ago are removed. */
const POSITIONS_MAX = 10_000;
/** A file that was absent for a day longer than logs are kept holds no line that is young enough to be accepted. */
const FORGET_MS = (TERM_HOURS.requestLog + 24) * HOUR_MS;

type Entry = TailPosition & { readonly seenMs: number };

export class Checkpoint {
  readonly #path: string;
  readonly #logger: Logger;
  /** All lines before these are durable. */
  readonly #durable = new Positions();
  /** All lines before these are in the log: where this process continues to read. */
  readonly #logged = new Positions();
  /** When a file was last seen, epoch milliseconds. */
  readonly #seenMs = new Map<string, number>();
  #changed = false;

  private constructor(directory: string, logger: Logger) {
    this.#path = join(directory, 'tail.json');
    this.#logger = logger;
  }

  /** Reads what an earlier process saved. If that fails it is logged, and files are read from their beginning. */
  static async open(directory: string, logger: Logger): Promise<Checkpoint> {
    const checkpoint = new Checkpoint(directory, logger);
    try {
      for (const entry of parse(await readFile(checkpoint.#path, 'utf8'))) {
        const { seenMs, ...position } = entry;
        checkpoint.#durable.note(position);
        checkpoint.#logged.note(position);
        checkpoint.#seenMs.set(position.inode, seenMs);
      }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
        logger.error(
          { err: error, path: checkpoint.#path },
          'the checkpoint of tailed files cannot be read: lines may be sent again',
        );
      }
    }
    return checkpoint;
  }

  /** Where to continue in files that are opened. */
  get positions(): Pick<Positions, 'get' | 'list' | 'serialMax'> {
    return this.#logged;
  }

  /** All lines before it are in the log. */
  noteLogged(position: TailPosition): void {
    this.#logged.note(position);
  }

  /** All lines before it are durable, so that it may be saved. */
  noteDurable(position: TailPosition, nowMs: number): void {
    this.#logged.note(position);
    this.#durable.note(position);
    this.#seenMs.set(position.inode, nowMs);
    this.#changed = true;
  }

  /** The file still exists. */
  seen(inode: string, nowMs: number): void {
    if (this.#seenMs.has(inode)) this.#seenMs.set(inode, nowMs);
  }

  /** Adds and saves positions from the log of an earlier process. */
  async saveDurable(positions: readonly TailPosition[], nowMs: number): Promise<void> {
    for (const position of positions) this.noteDurable(position, nowMs);
    await this.save(nowMs);
  }

  /** Writes what was noted since the last time. Rejects where it cannot be written; the last checkpoint stays valid. */
  async save(nowMs: number): Promise<void> {
    if (!this.#changed) return;
    this.#forgetOld(nowMs);
    this.#changed = false;
    try {
      await this.#write();
    } catch (error) {
      this.#changed = true;
      throw error;
    }
  }

  async #write(): Promise<void> {
    const entries = this.#durable.list.map((position): Entry => {
      return { ...position, seenMs: this.#seenMs.get(position.inode) ?? 0 };
    });
    const fresh = `${this.#path}.new`;
    const handle = await open(fresh, 'w', 0o600);
    try {
      await handle.writeFile(JSON.stringify({ format: 1, files: entries }));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, this.#path);
    await syncDirectory(dirname(this.#path));
  }

  #forgetOld(nowMs: number): void {
    const oldest = [...this.#seenMs].toSorted(([, a], [, b]) => a - b);
    const tooMany = oldest.length - POSITIONS_MAX;
    oldest.forEach(([inode, seenMs], index) => {
      if (index >= tooMany && nowMs - seenMs < FORGET_MS) return;
      this.#durable.forget(inode);
      this.#logged.forget(inode);
      this.#seenMs.delete(inode);
    });
    if (tooMany > 0)
      this.#logger.warn({ forgotten: tooMany }, 'too many tailed files: positions are forgotten');
  }
}

function parse(text: string): Entry[] {
  const parsed: unknown = JSON.parse(text);
  const known =
    typeof parsed === 'object' && parsed !== null && 'files' in parsed && Array.isArray(parsed.files);
  if (!known) throw new Error('it is not a checkpoint');
  // `save` alone writes it, completely.
  return (parsed as { files: Entry[] }).files;
}
