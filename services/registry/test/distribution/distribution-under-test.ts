/* A registry's database with its publisher, and receivers as collectors and query services have them. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Applications } from '@imscope/access/applications.js';
import { openDistributedApplications } from '@imscope/access/distributed-applications.js';
import type { EntrySource } from '@imscope/access/entry-source.js';
import { hashToken } from '@imscope/access/tokens.js';
import { createLogger } from '@imscope/runtime/logger.js';
import type { ApplicationEntry, RegistryEntry, TokenEntry } from '@imscope/schemas/registry-entry.js';
import type { Database } from '@imscope/state/database.js';
import { LEASE_MIGRATIONS, LEASE_SERVICE, type LeaseTables } from '@imscope/state/leases.js';
import { migrate } from '@imscope/state/migrate.js';
import { transact } from '@imscope/state/transact.js';
import type { EntrySink } from '../../src/distribution/entry-sink.js';
import { type Publisher, startPublisher } from '../../src/distribution/publisher.js';
import { deleteEntries, writeEntries } from '../../src/rows/entries.js';
import type { RegistryTables } from '../../src/rows/tables.js';
import { REGISTRY_DATABASES } from '../registry-databases.js';

export const logger = createLogger('distribution-test', 'silent');
const ignore = (): void => undefined;
const WAIT_MS_MAX = 20_000;

export type DistributionUnderTest = {
  readonly database: Database<RegistryTables & LeaseTables>;
  /** In one transaction, as a change of the registry; wakes no publisher. */
  write(entries: readonly RegistryEntry[], deleted?: readonly string[]): Promise<void>;
  publish(sinks: readonly EntrySink[], now?: () => number): Publisher;
  /** Knows what `source` gives. @param cacheName of a file that outlives the receiver */
  receive(source: EntrySource, cacheName?: string): Promise<Applications>;
  cachePath(name: string): string;
  close(): Promise<void>;
};

export async function openDistribution(kind: 'sqlite' | 'mysql' = 'sqlite'): Promise<DistributionUnderTest> {
  const opened = await REGISTRY_DATABASES[kind]();
  const database = opened.database as unknown as Database<RegistryTables & LeaseTables>;
  await migrate(database, LEASE_SERVICE, LEASE_MIGRATIONS);
  const directory = mkdtempSync(join(tmpdir(), 'imscope-distribution-'));
  const cachePath = (name: string): string => join(directory, name);
  const closers: (() => Promise<void>)[] = [];
  return {
    database,
    cachePath,
    write: async (entries, deleted = []) => {
      await transact(opened.database, async (transaction) => {
        await writeEntries(transaction, entries);
        await deleteEntries(transaction, deleted);
      });
    },
    publish: (sinks, now = Date.now) => {
      const publisher = startPublisher({ database, sinks, logger, holder: randomUUID(), now });
      closers.push(() => publisher.stop());
      return publisher;
    },
    receive: async (source, cacheName) => {
      const cacheFile = cacheName === undefined ? '' : cachePath(cacheName);
      const receiver = await openDistributedApplications({ source, cacheFile, logger, report: ignore });
      closers.push(() => receiver.stop());
      return receiver;
    },
    close: async () => {
      for (const close of closers.toReversed()) await close();
      await opened.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** @throws Error where the condition does not come true in a time that a busy machine does not need */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = performance.now() + WAIT_MS_MAX;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`${what}: not within ${WAIT_MS_MAX} ms`);
    await sleep(10);
  }
}

export function tokenEntry(token: string, fields: Partial<TokenEntry> = {}): TokenEntry {
  return {
    kind: 'token',
    name: token.slice(0, 32),
    sha256: hashToken(token),
    scope: 'write',
    applications: 'all',
    ...fields,
  };
}

export function applicationEntry(sdkAppId: number, fields: Partial<ApplicationEntry> = {}): ApplicationEntry {
  return { kind: 'application', sdk_app_id: sdkAppId, status: 'active', region: 'singapore', ...fields };
}

export function isValid(receiver: Applications, token: string): boolean {
  return receiver.find(hashToken(token), 'write') !== undefined;
}
