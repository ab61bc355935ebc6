/* A real store with this version's tables, for one test file, gone with it. No broker. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { openTables } from '../../../../scripts/stack/open-tables.js';
import { startStore } from '../../../../scripts/stack/store.js';

export async function openStoreWithTables(): Promise<{ store: ClickHouseClient; end: () => Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'imscope-reconcile-test-'));
  const running = await startStore({ dataDir: join(dir, 'store'), mode: 'source', password: 'test-test' });
  const store = await openTables(running, 'reconcile-test');
  const end = async (): Promise<void> => {
    await store.close();
    await running.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  return { store, end };
}
