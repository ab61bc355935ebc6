/*
 * The query service for one test file, with or without a real store that has its tables; closed after the file's tests.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { loadConfig } from '@imscope/runtime/config.js';
import { createLogger } from '@imscope/runtime/logger.js';
import { createRegistry } from '@imscope/runtime/metrics.js';
import { createReadiness } from '@imscope/runtime/readiness.js';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { hashToken } from '@imscope/access/tokens.js';
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { openTables } from '../../../scripts/stack/open-tables.js';
import { storeEnv } from '../../../scripts/stack/service-env.js';
import { type RunningStore, startStore } from '../../../scripts/stack/store.js';
import { QUERY_SETTINGS } from '../src/config.js';
import { createQuery } from '../src/create-query.js';
import type { StoredRow } from './stored-row.js';

/** May read single requests too. */
export const READ_ALL = 'read-all-read-all-read-all';
/** May read figures alone. */
export const READ_FEW = 'read-few-read-few-read-few';
/** May read single requests of a few. */
export const REQUESTS_FEW = 'requests-few-requests-few-01';
export const WRITE = 'write-write-write-write-write';
/** What READ_FEW and REQUESTS_FEW may read. */
export const FEW = [101, 102];

const TOKENS = [
  { name: 'everything', sha256: hashToken(READ_ALL), scope: 'requests', applications: 'all' },
  { name: 'a few', sha256: hashToken(READ_FEW), scope: 'read', applications: FEW },
  { name: 'a few engineers', sha256: hashToken(REQUESTS_FEW), scope: 'requests', applications: FEW },
  { name: 'gateway', sha256: hashToken(WRITE), scope: 'write', applications: 'all' },
];

export function writeRegistryFile(path: string, tokens: readonly object[] = TOKENS): void {
  writeFileSync(path, JSON.stringify({ tokens }));
}

export type QueryUnderTest = {
  readonly app: FastifyInstance;
  readonly registry: Registry;
  close(): Promise<void>;
};

/** The service with these settings, answering by `inject`. */
export async function openQuery(environment: Readonly<Record<string, string>>): Promise<QueryUnderTest> {
  const loaded = loadConfig(QUERY_SETTINGS, environment);
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'));
  const registry = createRegistry('query');
  const { app, close } = await createQuery({
    config: loaded.config,
    logger: createLogger('query', 'silent'),
    registry,
    readiness: createReadiness(['store']),
    fail: (error) => {
      throw error;
    },
  });
  return { app, registry, close };
}

export type StoreUnderTest = {
  readonly dir: string;
  /** Settings by which the service finds the store and its tokens. */
  readonly environment: Readonly<Record<string, string>>;
  readonly client: ClickHouseClient;
  readonly store: RunningStore;
  insert(rows: readonly StoredRow[]): Promise<void>;
  close(): Promise<void>;
};

/** Store and service of one test file. `fill` runs before the service starts; both are closed after the file's tests. */
export async function openStoreAndQuery(
  fill: (store: StoreUnderTest) => Promise<void> = async () => undefined,
  settings: Readonly<Record<string, string>> = {},
): Promise<{ store: StoreUnderTest; query: QueryUnderTest }> {
  const store = await openStore();
  await fill(store);
  const query = await openQuery({ ...store.environment, ...settings });
  after(async () => {
    await query.close();
    await store.close();
  });
  return { store, query };
}

/** The service of one test file whose store refuses connections: nothing listens on port 9 of loopback. */
export async function openQueryWithoutStore(
  settings: Readonly<Record<string, string>> = {},
): Promise<QueryUnderTest> {
  const dir = mkdtempSync(join(tmpdir(), 'imscope-query-'));
  const registryFile = join(dir, 'registry.json');
  writeRegistryFile(registryFile);
  const query = await openQuery({
    REGISTRY_FILE: registryFile,
    STORE_URL: 'http://127.0.0.1:9',
    ...settings,
  });
  after(async () => {
    await query.close();
    rmSync(dir, { recursive: true });
  });
  return query;
}

export async function openStore(): Promise<StoreUnderTest> {
  const dir = mkdtempSync(join(tmpdir(), 'imscope-query-'));
  const store = await startStore({
    dataDir: join(dir, 'store'),
    mode: 'source',
    password: 'a password for this test',
  });
  const client = await openTables(store, 'imscope-query-test');
  const registryFile = join(dir, 'registry.json');
  writeRegistryFile(registryFile);
  return {
    dir,
    store,
    client,
    environment: { ...storeEnv(store), REGISTRY_FILE: registryFile },
    insert: async (rows) => {
      await client.insert({ table: 'request_log', values: [...rows], format: 'JSONEachRow' });
    },
    close: async () => {
      await client.close();
      await store.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
