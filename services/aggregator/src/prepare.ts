/*
 * `prepare`: creates the database, brings its tables to this version, creates missing topics and brings the terms of
 * existing ones to the settings. A table or view with another term is refused by name, never changed: rows may depend
 * on it. Can be run again at any time; with `--dry-run` it only says what it would do.
 */
import type { Config } from '@imscope/runtime/config.js';
import type { Logger } from '@imscope/runtime/logger.js';
import { SettingsError } from '@imscope/runtime/settings-error.js';
import { createStoreClient } from '@imscope/runtime/store-client.js';
import { type MigrationStore, migrate } from '@imscope/schemas/migrate.js';
import type { SETTINGS } from './config.js';
import { prepareTopics } from './topics/prepare-topics.js';
import { storeFaults } from './topics/store-terms.js';

const TIMEOUT_MS = 120_000;
/** A migration may copy a table: hours, where there are billions of rows. */
const MIGRATION_TIMEOUT_MS = 24 * 3_600_000;

/** @returns lines that say what was done, or would be. Throws `SettingsError` where a table's term is another. */
export async function prepare(
  config: Config<typeof SETTINGS>,
  dryRun: boolean,
  logger: Logger,
): Promise<string[]> {
  const [tables, topics] = [await prepareTables(config, dryRun), await prepareTopics(config, dryRun, logger)];
  const done = [...tables, ...topics];
  return done.length === 0 ? ['nothing to do: tables and topics are at this version'] : done;
}

async function prepareTables(config: Config<typeof SETTINGS>, dryRun: boolean): Promise<string[]> {
  const server = createStoreClient({ ...config, storeDatabase: 'default' }, 'imscope-prepare', TIMEOUT_MS);
  const client = createStoreClient(config, 'imscope-prepare', MIGRATION_TIMEOUT_MS);
  try {
    const found = await server.query({
      query: 'SELECT count() AS databases FROM system.databases WHERE name = {name:String}',
      query_params: { name: config.storeDatabase },
      format: 'JSONEachRow',
    });
    const [row] = await found.json<{ databases: number }>();
    const exists = row?.databases === 1;
    const verb = dryRun ? 'would create' : 'created';
    const lines = exists ? [] : [`${verb} database ${config.storeDatabase}`];
    if (!exists && dryRun) return [...lines, 'would apply all migrations'];
    if (!exists) {
      await server.command({
        query: 'CREATE DATABASE IF NOT EXISTS {name:Identifier}',
        query_params: { name: config.storeDatabase },
      });
    }
    const store: MigrationStore = {
      command: async (query, params) => {
        await client.command({ query, ...(params === undefined ? {} : { query_params: params }) });
      },
      select: async (query) => (await client.query({ query, format: 'JSONEachRow' })).json(),
    };
    const steps = await migrate(store, { dryRun });
    const applied = steps.map(
      ({ id, statement }) => `${dryRun ? 'would apply' : 'applied'} ${id}, statement ${statement + 1}`,
    );
    const faults = dryRun && steps.length > 0 ? [] : await storeFaults(client);
    if (faults.length > 0) throw new SettingsError(faults);
    return [...lines, ...applied];
  } finally {
    await Promise.all([server.close(), client.close()]);
  }
}
