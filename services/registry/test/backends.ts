/*
 * The two ways in which the registry runs, for behaviour tests that hold for both: `embedded` keeps everything in one
 * SQLite file and a folder; `integrated` uses MariaDB, FerretDB in the place of MongoDB, Redis, and versitygw in the place
 * of COS. A registry under test runs in the process of the test, and answers by HTTP.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashToken } from '@imscope/access/tokens.js';
import { loadConfig } from '@imscope/runtime/config.js';
import { createLogger } from '@imscope/runtime/logger.js';
import { createReadiness, type Readiness } from '@imscope/runtime/readiness.js';
import { testMongodb, testMysql, testRedis } from '@imscope/scripts/stack/test-databases.js';
import { type Call, createCall } from '@imscope/schemas/registry-api/call.js';
import type { TokenScope } from '@imscope/schemas/registry-entry.js';
import { Registry } from 'prom-client';
import type { CallbackServices } from '../src/callbacks/call-callback.js';
import { createAddressCheck } from '../src/callbacks/public-address.js';
import { REGISTRY_SETTINGS, registrySettingFaults } from '../src/config.js';
import { startRegistry } from '../src/create-registry.js';
import { migrateTables, type RegistryState } from '../src/open-state.js';
import { newMasterKeyLine } from '../src/secrets/master-keys.js';
import { makeBucket } from './objects/test-places.js';

export type BackendName = 'embedded' | 'integrated';
export const BACKENDS: readonly BackendName[] = ['embedded', 'integrated'];

export type RegistryUnderTest = {
  readonly url: string;
  /** The typed client, of an administrator of all applications. */
  readonly call: Call;
  /** A client of another token. */
  callAs(token: string): Call;
  /** A plain request of the administrator; `init` overrides. */
  send(path: string, init?: RequestInit): Promise<Response>;
  readonly state: RegistryState;
  /** Of the backend: the settings by which another process opens the same state. */
  readonly env: Readonly<Record<string, string>>;
  /** Stops it and starts it again with the same state. */
  restart(): Promise<void>;
  /** Stops it and removes its state. */
  stop(): Promise<void>;
};

export type TestOptions = {
  readonly now?: () => number;
  readonly env?: Readonly<Record<string, string>>;
  /** Receives the log; silent where left out. */
  readonly log?: Parameters<typeof createLogger>[2];
  /** For receivers on this machine. */
  readonly callbacks?: CallbackServices;
  readonly lifecycleEveryMs?: number;
  readonly readiness?: Readiness;
  /** More tokens of REGISTRY_FILE. */
  readonly tokens?: readonly FileToken[];
};

export type FileToken = {
  readonly name: string;
  readonly token: string;
  readonly scope: TokenScope;
  readonly applications: 'all' | readonly number[];
};

export const ADMIN_TOKEN = 'test-token-of-the-administrator';

/** Names are addresses of a documentation range, so that no test asks a DNS server. */
const CALLBACKS: CallbackServices = {
  resolveHost: async (name) => (name.endsWith('.inside.test') ? ['10.0.0.7'] : ['93.184.215.14']),
  isAddressAllowed: createAddressCheck(),
};

export async function openRegistry(
  backend: BackendName,
  name: string,
  options: TestOptions = {},
): Promise<RegistryUnderTest> {
  const dir = await mkdtemp(join(tmpdir(), `imscope-registry-${name}-`));
  const place = await (backend === 'embedded' ? embedded(dir) : integrated(name));
  const registryFile = join(dir, 'tokens.json');
  const administrator: FileToken = {
    name: 'test administrator',
    token: ADMIN_TOKEN,
    scope: 'admin',
    applications: 'all',
  };
  await writeFile(registryFile, fileOf([administrator, ...(options.tokens ?? [])]));
  const env = {
    REGISTRY_PORT: '0',
    // Tests of backups make their own.
    BACKUP_INTERVAL_HOURS: '0',
    REGISTRY_FILE: registryFile,
    REGISTRY_MASTER_KEY: newMasterKeyLine(Date.now()).trim(),
    ...place.env,
    ...options.env,
  };
  const config = configOf(env);
  await migrateTables(config, false);
  let running = await start(config, options);
  const url = () => `http://127.0.0.1:${running.port}`;
  const send = (token: string, path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    if (!headers.has('authorization')) headers.set('authorization', `Bearer ${token}`);
    return fetch(`${url()}${path}`, { ...init, headers });
  };
  return {
    get url() {
      return url();
    },
    get state() {
      return running.state;
    },
    env,
    call: createCall((path, init) => send(ADMIN_TOKEN, path, init)),
    callAs: (token) => createCall((path, init) => send(token, path, init)),
    send: (path, init) => send(ADMIN_TOKEN, path, init),
    async restart() {
      await running.stop();
      running = await start(config, options);
    },
    async stop() {
      await running.stop();
      await place.remove();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export function configOf(env: Readonly<Record<string, string>>) {
  const loaded = loadConfig(REGISTRY_SETTINGS, env);
  const faults = loaded.ok ? registrySettingFaults(loaded.config) : loaded.errors;
  if (!loaded.ok || faults.length > 0) throw new Error(faults.join('; '));
  return loaded.config;
}

function start(
  config: ReturnType<typeof configOf>,
  { now, log, callbacks = CALLBACKS, lifecycleEveryMs, readiness = createReadiness([]) }: TestOptions,
) {
  return startRegistry(
    {
      config,
      logger: createLogger('registry', log === undefined ? 'silent' : 'debug', log),
      registry: new Registry(),
      readiness,
      fail: (error) => {
        throw error;
      },
    },
    {
      callbacks,
      ...(now === undefined ? {} : { now }),
      ...(lifecycleEveryMs === undefined ? {} : { lifecycleEveryMs }),
    },
  );
}

type Place = { readonly env: Readonly<Record<string, string>>; remove(): Promise<void> };

async function embedded(dir: string): Promise<Place> {
  return {
    env: { DATABASE_URL: `sqlite:${join(dir, 'registry.db')}`, OBJECTS_DIR: join(dir, 'objects') },
    remove: async () => undefined,
  };
}

async function integrated(name: string): Promise<Place> {
  const unique = `${name}_${randomBytes(4).toString('hex')}`;
  const mysql = await testMysql(name);
  const bucket = await makeBucket();
  return {
    env: {
      DATABASE_URL: mysql.url,
      DATABASE_PASSWORD: mysql.password,
      MONGO_URL: `${await testMongodb()}/${unique}`,
      REDIS_URL: await testRedis(),
      REDIS_PREFIX: unique,
      COS_BUCKET: bucket.bucket,
      COS_ENDPOINT: bucket.endpoint,
      COS_REGION: bucket.region,
      COS_PATH_STYLE: 'true',
      COS_SECRET_ID: bucket.accessKeyId,
      COS_SECRET_KEY: bucket.secretAccessKey,
    },
    remove: () => mysql.drop(),
  };
}

function fileOf(tokens: readonly FileToken[]): string {
  return JSON.stringify({
    tokens: tokens.map(({ token, ...grant }) => ({ ...grant, sha256: hashToken(token) })),
  });
}
