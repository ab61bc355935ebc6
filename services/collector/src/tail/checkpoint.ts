/*
 * The checkpoint of tailed files: which positions are behind the tailer for good. Written whole, synced, and put in
 * the place of the last one, so that it is always one or the other. Where it is behind the log of a killed process,
 * the log's positions are newer and hold.
 */
import { open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from '@imscope/runtime/logger.js';
import { syncDirectory } from '../spool/segment.js';
import { Positions, type TailPosition } from '../spool/tail-position.js';

/** Some 300 bytes each. Beyond, those seen longest ago go. */
const POSITIONS_MAX = 10_000;
/** Files that were not there for so long have no lines that are young enough. */
const FORGET_MS = 8 * 24 * 3_600_000;

type Entry = TailPosition & { readonly seenMs: number };

export class Checkpoint {
  readonly #path: string;
  readonly #logger: Logger;
  /** Behind these everything is durable. */
  readonly #durable = new Positions();
  /** Behind these everything is in the log: where reading goes on within this process. */
  readonly #logged = new Positions();
  /** When a file's position was last asked for or noted, epoch milliseconds. */
  readonly #seenMs = new Map<string, number>();
  #changed = false;

  private constructor(directory: string, logger: Logger) {
    this.#path = join(directory, 'tail.json');
    this.#logger = logger;
  }

  /** Reads what an earlier process saved. One that cannot be read is named, and files are read from their beginning. */
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

  /** Where to go on in files that are opened. */
  get positions(): Pick<Positions, 'get' | 'list' | 'serialMax'> {
    return this.#logged;
  }

  /** Everything before it is in the log. */
  noteLogged(position: TailPosition): void {
    this.#logged.note(position);
  }

  /** Everything before it is durable, so that it may be saved. */
  noteDurable(position: TailPosition, nowMs: number): void {
    this.#logged.note(position);
    this.#durable.note(position);
    this.#seenMs.set(position.inode, nowMs);
    this.#changed = true;
  }

  /** The file is still there. */
  seen(inode: string, nowMs: number): void {
    if (this.#seenMs.has(inode)) this.#seenMs.set(inode, nowMs);
  }

  /** Takes over and saves what the log of an earlier process tells. */
  async saveDurable(positions: readonly TailPosition[], nowMs: number): Promise<void> {
    for (const position of positions) this.noteDurable(position, nowMs);
    await this.save(nowMs);
  }

  /** Writes what was noted since the last time. Rejects where it cannot be written; the last one holds then. */
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
  if (!known) throw new Error('it is no checkpoint');
  // Written whole by `save`, which is the only one that writes it.
  return (parsed as { files: Entry[] }).files;
}
