/*
 * Tailed files → batches in the log: a stretch of lines is read when there is room for what it comes to, so nothing
 * is read ahead and nothing is dropped for being too much; it waits in its file. One batch after another goes into
 * the log together with its position, so that a killed process is gone on from exactly where it was.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@imscope/runtime/logger.js';
import type { ByteBudget } from '../limits/byte-budget.js';
import type { RefusalLog } from '../clients/refusal-log.js';
import { countIntake, type IntakeMetrics } from '../intake/intake-metrics.js';
import type { Checkpoint } from './checkpoint.js';
import type { FollowedFile, Stretch } from './followed-file.js';
import type { FollowedFiles } from './followed-files.js';
import type { ProcessorShare } from './processor-share.js';
import { TailBatcher, type TailBatchOptions } from './tail-batch.js';
import type { Durable, TailDelivery } from './tail-delivery.js';
import type { TailMetrics } from './tail-metrics.js';

/** Read at once; a line that is longer is stepped over. */
const STRETCH_BYTES = 512 << 10;
/** Batches in the log that are neither acknowledged nor synced. */
const UNDERWAY_MAX = 16;
/** What a batch may take while it is made; see `OpenBatch`. */
const BATCH_BYTES = 2 << 20;
/** Pause where no file has anything new. */
const POLL_MS = 100;
const SCAN_MS = 1_000;
const CHECKPOINT_MS = 1_000;
const RETRY_MS = 500;
/** On stopping, what is on its way has so long to become durable. */
const SETTLE_MS = 5_000;

export type TailerOptions = {
  readonly files: FollowedFiles;
  readonly checkpoint: Checkpoint;
  readonly delivery: TailDelivery;
  readonly batches: TailBatchOptions;
  readonly budget: Pick<ByteBudget, 'bytesFree'>;
  readonly processor: Pick<ProcessorShare, 'waitMs'>;
  /** Why nothing can be taken just now; undefined while it can. */
  readonly failure: () => string | undefined;
  /** Nobody needs this segment of the log for a position any more. */
  readonly release: (segment: number) => void;
  readonly onSampledOut: (records: number) => void;
  readonly refusals: Pick<RefusalLog, 'recordsRefused'>;
  /** How long a file that was renamed or deleted must be quiet until it counts as finished. */
  readonly finishMs: number;
  readonly metrics: IntakeMetrics;
  readonly tailMetrics: TailMetrics;
  readonly logger: Logger;
  /** Ends the process: its next start finds out from the log what became of a batch. */
  readonly fail: (error: Error) => void;
};

export class Tailer {
  readonly #options: TailerOptions;
  readonly #batcher: TailBatcher;
  readonly #buffer = Buffer.allocUnsafeSlow(STRETCH_BYTES);
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

  /** Begins to read. Everything that earlier processes left must stand in the checkpoint by now. */
  start(): void {
    this.#serial = this.#options.checkpoint.positions.serialMax;
    this.#running = this.#run();
    this.#running.catch((error: unknown) => {
      this.#options.fail(error instanceof Error ? error : new Error(String(error)));
    });
  }

  /** Reads nothing more; waits for what is on its way, as long as that makes sense. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#running.catch(() => undefined);
    const lastMs = performance.now() + SETTLE_MS;
    while (this.#options.delivery.waiting > 0 && performance.now() < lastMs) await this.#pause(POLL_MS);
    await this.#save(this.#options.delivery.takeDurable());
    await this.#options.files.close();
  }

  /** Saves all there is. The caller has synced the log, and nothing is read any more. */
  async saveAll(): Promise<void> {
    await this.#save(this.#options.delivery.takeAll());
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
      let took = false;
      for (const file of files.list) {
        if (this.#stopping.signal.aborted) break;
        took = (await this.#tryTurn(file)) || took;
      }
      await this.#saveIfDue(performance.now());
      if (!took) await this.#pause(POLL_MS);
    }
  }

  /** Before anything of a file is read it is known by its beginning: so it is found when it was renamed meanwhile. */
  async #noteBeginnings(): Promise<void> {
    const { files, checkpoint } = this.#options;
    const begun = files.list.filter((file) => file.begins());
    if (begun.length === 0) return;
    for (const file of begun) {
      checkpoint.noteDurable(file.position(0, (this.#serial += 1)), Date.now());
    }
    await this.#save([]);
  }

  /** One stretch of one file. False where it has nothing new. A file that cannot be read stands back for the others. */
  async #tryTurn(file: FollowedFile): Promise<boolean> {
    const { tailMetrics, logger, files } = this.#options;
    try {
      return await this.#turn(file);
    } catch (error) {
      tailMetrics.failures.inc({ step: 'read' });
      logger.error({ err: error, path: file.path }, 'a tailed file cannot be read: it is opened again');
      await files.drop(file);
      return false;
    }
  }

  async #turn(file: FollowedFile): Promise<boolean> {
    const mayHaveLines = await file.look(performance.now());
    if (mayHaveLines) await this.#processorFree();
    const stretch = mayHaveLines && (await this.#room()) ? await file.read(this.#buffer) : undefined;
    this.#tellOf(file);
    await this.#noteBeginnings();
    if (stretch !== undefined) await this.#take(file, stretch);
    else if (!mayHaveLines) return this.#finishIfQuiet(file);
    return true;
  }

  #tellOf(file: FollowedFile): void {
    const { tailMetrics, logger } = this.#options;
    const { path } = file;
    const truncations = file.takeTruncations();
    if (truncations > 0) {
      tailMetrics.truncations.inc(truncations);
      logger.info({ path }, 'a tailed file was cut off or written again: it is read from its beginning');
    }
    const encoding = file.takeForeignEncoding();
    if (encoding !== undefined) {
      tailMetrics.failures.inc({ step: 'encoding' });
      logger.error(
        { path, encoding },
        'a tailed file is not UTF-8, so its lines are refused: have it written in UTF-8',
      );
    }
  }

  /** A file that is gone from its place: its last line counts without an end, then it is let go. */
  async #finishIfQuiet(file: FollowedFile): Promise<boolean> {
    const { finishMs, files } = this.#options;
    if (file.goneSinceMs === undefined) return false;
    const quietSinceMs = Math.max(file.goneSinceMs, file.grewMs);
    if (performance.now() - quietSinceMs < finishMs || !(await this.#room())) return false;
    const rest = await file.readRest(this.#buffer);
    if (rest !== undefined) await this.#take(file, rest);
    if (!this.#stopping.signal.aborted) await files.drop(file);
    return true;
  }

  /** All lines of a stretch, batch by batch; less where the tailer is stopped. */
  async #take(file: FollowedFile, { bytes, from, behindLongLine }: Stretch): Promise<void> {
    let taken = 0;
    let longLine = behindLongLine;
    while (taken < bytes.length || longLine) {
      if (!(await this.#room())) return;
      const advanced = await this.#takeBatch(file, bytes, taken, { from, longLine });
      if (advanced === undefined) {
        await this.#pause(RETRY_MS);
        continue;
      }
      taken = advanced;
      longLine = false;
    }
  }

  /** @returns up to where lines were taken; undefined where the log could not take them */
  async #takeBatch(
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
      fail(new Error('a batch of tailed lines may stand in the log or not: only a new start can tell'));
      this.#stopping.abort();
    }
    if (logged !== 'logged') {
      // These lines are judged again.
      filled.limits.refund();
      return undefined;
    }
    tailMetrics.lines.inc(filled.lines);
    tailMetrics.bytes.inc(from + end - file.offset);
    countIntake(filled.intake, metrics);
    onSampledOut(filled.sampledOut);
    refusals.recordsRefused({ file: file.path, fromByte: from + start }, filled.intake);
    checkpoint.noteLogged(position);
    file.take(from + end);
    file.readMs = Date.now();
    return end;
  }

  async #processorFree(): Promise<void> {
    const waitMs = this.#options.processor.waitMs();
    const { signal } = this.#stopping;
    if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => undefined);
  }

  /** Waits until what is read next has room. False where the tailer is stopped before. */
  async #room(): Promise<boolean> {
    const { delivery, budget, failure } = this.#options;
    for (;;) {
      if (this.#stopping.signal.aborted) return false;
      const full = delivery.waiting >= UNDERWAY_MAX || budget.bytesFree < BATCH_BYTES;
      if (!full && failure() === undefined) return true;
      await this.#saveIfDue(performance.now());
      await this.#pause(POLL_MS);
    }
  }

  async #saveIfDue(nowMs: number): Promise<void> {
    if (nowMs < this.#saveDueMs) return;
    this.#saveDueMs = nowMs + CHECKPOINT_MS;
    await this.#save(this.#options.delivery.takeDurable());
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

  /** Ends early where something became durable, or the tailer is stopped. */
  async #pause(ms: number): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    const timer = new AbortController();
    await Promise.race([woken, sleep(ms, undefined, { signal: timer.signal }).catch(() => undefined)]);
    timer.abort();
  }
}
