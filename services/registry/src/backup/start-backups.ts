/* Makes backups in time and deletes them at their end, in one of the processes: the holder of the lease. */
import type { Logger } from '@imscope/runtime/logger.js';
import type { Running } from '@imscope/runtime/service.js';
import { waitUnlessStopping } from '@imscope/runtime/wait-unless-stopping.js';
import { workWithLease } from '@imscope/state/leased-work.js';
import { type BackupServices, createBackup } from './create-backup.js';
import { sweepBackups } from './sweep-backups.js';

export type BackupScheduleOptions = Omit<BackupServices, 'signal'> & {
  /** 0: backups are made by the command alone; they are still deleted at their end. */
  readonly intervalHours: number;
  /** Names this process among the holders of leases. */
  readonly holder: string;
  readonly logger: Logger;
  /** After each pass: the time of the newest complete backup, if there is one. */
  readonly onPass: (result: { readonly newestMs: number | undefined; readonly deleted: number }) => void;
  readonly onFailure: () => void;
  /** Also how soon a backup that failed is tried again. Default: ten minutes. */
  readonly passEveryMs?: number;
};

const PASS_EVERY_MS = 600_000;
const LEASE_TERM_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export function startBackups(options: BackupScheduleOptions): Running {
  const { holder, logger, now, database, onFailure, passEveryMs = PASS_EVERY_MS } = options;
  const stopping = new AbortController();
  const onError = (error: unknown): void => {
    if (stopping.signal.aborted) return;
    onFailure();
    logger.error({ err: error }, 'a backup failed; it is tried again');
  };
  const ended = workWithLease(database, {
    name: 'registry-backup',
    holder,
    termMs: LEASE_TERM_MS,
    now,
    stopping: stopping.signal,
    onError,
    work: async (_lease, signal) => {
      while (!signal.aborted) {
        await runPass(options, signal).catch(onError);
        await waitUnlessStopping(passEveryMs, signal);
      }
    },
  });
  return {
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}

async function runPass(options: BackupScheduleOptions, signal: AbortSignal): Promise<void> {
  const { database, keepDays, intervalHours, now, logger, onPass } = options;
  let newestMs = await newestBackupMs(options);
  const dueMs = (newestMs ?? Number.NEGATIVE_INFINITY) + intervalHours * HOUR_MS;
  if (intervalHours > 0 && dueMs <= now()) {
    const { id, documents, rows, created_ms: createdMs } = await createBackup({ ...options, signal });
    newestMs = createdMs;
    logger.info({ backup: id, applications: rows['application'], documents }, 'backup completed');
  }
  const deleted = await sweepBackups({ ...options, database }, { nowMs: now(), keepMs: keepDays * DAY_MS });
  onPass({ newestMs, deleted });
}

async function newestBackupMs({ database }: BackupScheduleOptions): Promise<number | undefined> {
  const row = await database.kysely
    .selectFrom('backup')
    .select('created_ms')
    .where('completed_ms', 'is not', null)
    .orderBy('created_ms', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.created_ms;
}
