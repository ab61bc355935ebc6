/*
 * Keeps the tokens of REGISTRY_FILE in the token table, and its defaults of applications among the entries: at the start,
 * and within seconds of each change of the file. While the file is malformed, what it stated last stays in force.
 */
import { statSync } from 'node:fs';
import { readApplicationsFile } from '@imscope/access/applications-file.js';
import type { ApplicationSettings } from '@imscope/access/application-settings.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Running } from '@imscope/runtime/service.js';
import { waitUnlessStopping } from '@imscope/runtime/wait-unless-stopping.js';
import type { Database } from '@imscope/state/database.js';
import { transact } from '@imscope/state/transact.js';
import { type DefaultsEntry, writeDefaults } from '../rows/entries.js';
import type { RegistryTables } from '../rows/tables.js';
import { syncFileTokens } from '../rows/tokens.js';

export type TokenFileOptions = {
  readonly path: string;
  readonly database: Database<RegistryTables>;
  readonly logger: Logger;
  readonly now: () => number;
  readonly checkEveryMs?: number;
};

const CHECK_EVERY_MS = 5_000;

/** Rejects where the file is missing or malformed: a registry does not start without it. */
export async function startTokenFileSync(options: TokenFileOptions): Promise<Running> {
  const { path, logger, checkEveryMs = CHECK_EVERY_MS } = options;
  let done = versionOf(path);
  await sync(options);
  const stopping = new AbortController();
  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await waitUnlessStopping(checkEveryMs, stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        const version = versionOf(path);
        if (version === done) continue;
        await sync(options);
        done = version;
      } catch (error) {
        logger.error({ err: error, path }, 'tokens of the file were not taken over; it is tried again');
      }
    }
  };
  const ended = watch();
  return {
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}

async function sync({ path, database, logger, now }: TokenFileOptions): Promise<void> {
  const content = readApplicationsFile(path);
  const changed = await transact(database, async (transaction) => {
    const tokens = await syncFileTokens(transaction, content, now());
    await writeDefaults(transaction, defaultsEntry(content.defaults));
    return tokens;
  });
  if (changed.added + changed.removed > 0) logger.info({ path, ...changed }, 'tokens of the file taken over');
}

/** Limits of applications for which none are set. Pure. */
function defaultsEntry({ quotaPerSecond, limitPerSecond }: ApplicationSettings): DefaultsEntry {
  return {
    kind: 'defaults',
    ...(Number.isFinite(quotaPerSecond) ? { quota_per_second: quotaPerSecond } : {}),
    ...(Number.isFinite(limitPerSecond) ? { limit_per_second: limitPerSecond } : {}),
  };
}

/** Changes whenever the file is written or replaced. */
function versionOf(path: string): string {
  const { mtimeMs, size, ino } = statSync(path);
  return `${mtimeMs}/${size}/${ino}`;
}
