/*
 * Tailed files → batches in the log. Lines are read only while there is capacity for their batch, so that nothing is
 * dropped: it waits in its file. Batches are logged one after another, each with its position, so that after a kill
 * reading continues exactly where it was.
 */
import { errorMessage } from '@imscope/runtime/error-message.js';
import type { Logger } from '@imscope/runtime/logger.js';
import { waitUnlessStopping } from '@imscope/runtime/wait-unless-stopping.js';
import type { ByteBudget } from '../limits/byte-budget.js';
import type { RefusalLog } from '../clients/refusal-log.js';
import { countIntake, type IntakeMetrics } from '../intake/intake-metrics.js';
import type { Checkpoint } from './checkpoint.js';
import type { FileLines, FollowedFile } from './followed-file.js';
import type { FollowedFiles } from './followed-files.js';
import type { ProcessorShare } from './processor-share.js';
import { TailBatcher, type TailBatchOptions } from './tail-batch.js';
import type { Durable, TailDelivery } from './tail-delivery.js';
import type { TailMetrics } from './tail-metrics.js';

/** Bytes of one read; a longer line is skipped. */
const READ_BYTES = 512 << 10;
/** Most batches in the log that are neither acknowledged nor synced. */
const WAITING_MAX = 16;
/** Most memory of a batch while it is filled; see `OpenBatch`. */
const BATCH_BYTES = 2 << 20;
/** Pause when no file has anything new. */
const POLL_MS = 100;
const SCAN_MS = 1_000;
const CHECKPOINT_MS = 1_000;
const RETRY_MS = 500;
/** While stopping, logged batches have so long to become durable. */
const SETTLE_MS = 5_000;

export type TailerOptions = {
  readonly files: FollowedFiles;
  readonly checkpoint: Checkpoint;
  readonly delivery: TailDelivery;
  readonly batches: TailBatchOptions;
  readonly budget: Pick<ByteBudget, 'bytesFree'>;
  readonly processor: Pick<ProcessorShare, 'waitMs'>;
  /** Why nothing can be accepted at the moment; undefined while it can. */
  readonly failure: () => string | undefined;
  /** No position needs this segment of the log any more. */
  readonly release: (segment: number) => void;
  readonly onSampledOut: (records: number) => void;
  readonly refusals: Pick<RefusalLog, 'recordsRefused'>;
  /** How long a renamed or deleted file must be unchanged until it counts as finished. */
  readonly finishMs: number;
  readonly metrics: IntakeMetrics;
  readonly tailMetrics: TailMetrics;
  readonly logger: Logger;
  /** Ends the process: its next start reads from the log whether a batch is in it. */
  readonly fail: (error: Error) => void;
};

export class Tailer {
  readonly #options: TailerOptions;
  readonly #batcher: TailBatcher;
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #serial = 0;
  #scanDueMs = 0;
  #saveDueMs = 0;
  #wake: () => void = () => undefined;
  /** Segments that hold positions the checkpoint on the disk does not have. */
  readonly #unsaved: number[] = [];

  constructor(options: TailerOptions) {
    this.#options = options;
    this.#batcher = new TailBatcher(options.batches);
    options.delivery.onDurable(() => this.#wake());
  }

  /** Begins to read. The checkpoint must have everything that earlier processes left. */
  start(): void {
    this.#serial = this.#options.checkpoint.positions.serialMax;
    this.#running = this.#run();
    this.#running.catch((error: unknown) => {
      this.#options.fail(error instanceof Error ? error : new Error(errorMessage(error)));
    });
  }

  /** Reads nothing more, and waits until logged batches are durable, for a bounded time. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#running.catch(() => undefined);
    const lastMs = performance.now() + SETTLE_MS;
    while (this.#options.delivery.waiting > 0 && performance.now() < lastMs) await this.#pause(POLL_MS);
    await this.#save(this.#options.delivery.drainDurable());
    await this.#options.files.close();
  }

  /** Saves all positions. The caller has synced the log, and nothing is read any more. */
  async saveAll(): Promise<void> {
    await this.#save(this.#options.delivery.drainAll());
  }

  async #run(): Promise<void> {
    const { files } = this.#options;
    await files.openRenamed();
    while (!this.#stopping.signal.aborted) {
      const nowMs = performance.now();
      if (nowMs >= this.#scanDueMs) {
        await files.scan(nowMs);
        await this.#noteBeginnings();
        this.#scanDueMs = nowMs + SCAN_MS;
      }
      let hasRead = false;
      for (const file of files.list) {
        if (this.#stopping.signal.aborted) break;
        hasRead = (await this.#tryRead(file)) || hasRead;
      }
      await this.#saveIfDue(performance.now());
      if (!hasRead) await this.#pause(POLL_MS);
    }
  }

  /** Saves a position with the first bytes of new files, so that they are found after a rename. */
  async #noteBeginnings(): Promise<void> {
    const { files, checkpoint } = this.#options;
    const begun = files.list.filter((file) => file.begins());
    if (begun.length === 0) return;
    for (const file of begun) {
      checkpoint.noteDurable(file.position(0, (this.#serial += 1)), Date.now());
    }
    await this.#save([]);
  }

  /** One read of one file. @returns false where it has nothing new, or cannot be read */
  async #tryRead(file: FollowedFile): Promise<boolean> {
    const { tailMetrics, logger, files } = this.#options;
    try {
      return await this.#read(file);
    } catch (error) {
      tailMetrics.failures.inc({ step: 'read' });
      logger.error({ err: error, path: file.path }, 'a tailed file cannot be read: it is opened again');
      await files.drop(file);
      return false;
    }
  }

  async #read(file: FollowedFile): Promise<boolean> {
    const mayHaveLines = await file.checkSize(performance.now());
    if (mayHaveLines) await waitUnlessStopping(this.#options.processor.waitMs(), this.#stopping.signal);
    const lines = mayHaveLines && (await this.#waitForCapacity()) ? await file.read(this.#buffer) : undefined;
    this.#report(file);
    await this.#noteBeginnings();
    if (lines !== undefined) await this.#logLines(file, lines);
    else if (!mayHaveLines) return this.#finishIfQuiet(file);
    return true;
  }

  #report(file: FollowedFile): void {
    const { tailMetrics, logger } = this.#options;
    const { path } = file;
    const truncations = file.drainTruncations();
    if (truncations > 0) {
      tailMetrics.truncations.inc(truncations);
      logger.info({ path }, 'a tailed file was truncated or rewritten: it is read from its beginning');
    }
    const encoding = file.drainForeignEncoding();
    if (encoding !== undefined) {
      tailMetrics.failures.inc({ step: 'encoding' });
      logger.error(
        { path, encoding },
        'a tailed file is not UTF-8, so its lines are refused: have it written in UTF-8',
      );
    }
  }

  /** A renamed or deleted file: its last line counts without a newline, then it is closed. */
  async #finishIfQuiet(file: FollowedFile): Promise<boolean> {
    const { finishMs, files } = this.#options;
    if (file.goneSinceMs === undefined) return false;
    const quietSinceMs = Math.max(file.goneSinceMs, file.grewMs);
    if (performance.now() - quietSinceMs < finishMs || !(await this.#waitForCapacity())) return false;
    const rest = await file.readRest(this.#buffer);
    if (rest !== undefined) await this.#logLines(file, rest);
    if (!this.#stopping.signal.aborted) await files.drop(file);
    return true;
  }

  /** Logs lines batch by batch; fewer where the tailer is stopped. */
  async #logLines(file: FollowedFile, { bytes, from, afterLongLine }: FileLines): Promise<void> {
    let logged = 0;
    let longLine = afterLongLine;
    while (logged < bytes.length || longLine) {
      if (!(await this.#waitForCapacity())) return;
      const end = await this.#logBatch(file, bytes, logged, { from, longLine });
      if (end === undefined) {
        await this.#pause(RETRY_MS);
        continue;
      }
      logged = end;
      longLine = false;
    }
  }

  /** @returns the end of the lines logged; undefined where the log refused them */
  async #logBatch(
    file: FollowedFile,
    bytes: Buffer,
    start: number,
    { from, longLine }: { readonly from: number; readonly longLine: boolean },
  ): Promise<number | undefined> {
    const { delivery, checkpoint, metrics, tailMetrics, fail, onSampledOut, refusals } = this.#options;
    const filled = this.#batcher.fill(bytes, start, longLine);
    const end = start + filled.bytes;
    const position = file.position(from + end, (this.#serial += 1));
    const logged = await delivery.log(filled.batch, position, filled.intake.rejectedByApplication);
    if (logged === 'in_doubt') {
      fail(new Error('a batch of tailed lines may be in the log or not: only a new start can tell'));
      this.#stopping.abort();
    }
    if (logged !== 'logged') {
      // These lines are read again.
      filled.limits.refund();
      return undefined;
    }
    tailMetrics.lines.inc(filled.lines);
    tailMetrics.bytes.inc(from + end - file.offset);
    countIntake(filled.intake, metrics);
    onSampledOut(filled.sampledOut);
    refusals.recordsRefused({ file: file.path, fromByte: from + start }, filled.intake);
    checkpoint.noteLogged(position);
    file.advance(from + end);
    file.readMs = Date.now();
    return end;
  }

  /** Waits until there is capacity for the next batch. False where the tailer is stopped before. */
  async #waitForCapacity(): Promise<boolean> {
    const { delivery, budget, failure } = this.#options;
    for (;;) {
      if (this.#stopping.signal.aborted) return false;
      const full = delivery.waiting >= WAITING_MAX || budget.bytesFree < BATCH_BYTES;
      if (!full && failure() === undefined) return true;
      await this.#saveIfDue(performance.now());
      await this.#pause(POLL_MS);
    }
  }

  async #saveIfDue(nowMs: number): Promise<void> {
    if (nowMs < this.#saveDueMs) return;
    this.#saveDueMs = nowMs + CHECKPOINT_MS;
    await this.#save(this.#options.delivery.drainDurable());
  }

  async #save(durable: readonly Durable[]): Promise<void> {
    const { checkpoint, release, tailMetrics, logger } = this.#options;
    const nowMs = Date.now();
    for (const { position } of durable) checkpoint.noteDurable(position, nowMs);
    this.#unsaved.push(...durable.map(({ segment }) => segment));
    try {
      await checkpoint.save(nowMs);
    } catch (error) {
      tailMetrics.failures.inc({ step: 'checkpoint' });
      logger.error(
        { err: error },
        'the checkpoint of tailed files cannot be written: the log is kept until it can',
      );
      return;
    }
    for (const segment of this.#unsaved.splice(0)) release(segment);
  }

  /** Ends early when a batch becomes durable, or the tailer is stopped. */
  async #pause(ms: number): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    const timer = new AbortController();
    await Promise.race([woken, waitUnlessStopping(ms, timer.signal)]);
    timer.abort();
  }
}
