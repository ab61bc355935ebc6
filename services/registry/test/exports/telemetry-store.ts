/* A telemetry store of one test file, with its tables, and rows of request logs. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTables } from '@imscope/scripts/stack/open-tables.js';
import { type RunningStore, startStore } from '@imscope/scripts/stack/store.js';

export type TelemetryStore = {
  readonly store: RunningStore;
  /** Settings by which the registry finds it. */
  readonly env: Readonly<Record<string, string>>;
  insert(rows: readonly LogRow[]): Promise<void>;
  close(): Promise<void>;
};

export type LogRow = { readonly time: number; readonly sdk_app_id: number } & Readonly<
  Record<string, string | number | null>
>;

export async function openTelemetryStore(): Promise<TelemetryStore> {
  const directory = await mkdtemp(join(tmpdir(), 'imscope-telemetry-'));
  const store = await startStore({ dataDir: join(directory, 'store'), mode: 'source', password: 'test' });
  const client = await openTables(store, 'imscope-registry-test');
  return {
    store,
    env: {
      STORE_URL: store.url,
      STORE_USER: store.user,
      STORE_PASSWORD: store.password,
      STORE_DATABASE: store.database,
    },
    async insert(rows) {
      await client.insert({ table: 'request_log', values: [...rows], format: 'JSONEachRow' });
    },
    async close() {
      await client.close();
      await store.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export function logRow(time: number, sdkAppId: number, more: Partial<LogRow> = {}): LogRow {
  return {
    time,
    sdk_app_id: sdkAppId,
    interface: 'openim/sendmsg',
    exit_ip: '::ffff:203.0.113.7',
    latency_us: 1_500,
    upstream_us: null,
    rtt_us: 12_345,
    code: 0,
    http_status: 200,
    outcome: 'success',
    exception: '',
    cause: 'a “cause” with\nlines',
    node: 'gw-1',
    region: 'north',
    platform: 'android',
    sdk_version: '8.1.0',
    request_id: 'request',
    weight: 10,
    block_id: '1',
    block_row: 0,
    ...more,
  };
}
