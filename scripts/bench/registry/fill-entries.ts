/* Entries of many applications, written as the registry writes them, before it starts. */
import { openDatabase } from '@imscope/state/database.js';
import { migrate } from '@imscope/state/migrate.js';
import { transact } from '@imscope/state/transact.js';
import type { ApplicationEntry } from '@imscope/schemas/registry-entry.js';
import { writeEntries } from '../../../services/registry/src/rows/entries.js';
import { REGISTRY_MIGRATIONS } from '../../../services/registry/src/rows/migrations.js';
import type { RegistryTables } from '../../../services/registry/src/rows/tables.js';

/** SDKAppIDs of the first of them; the others follow. */
export const FIRST_APPLICATION = 1_500_000_000;
const ENTRIES_PER_TRANSACTION = 5_000;

/** @param file of the SQLite database, which is made */
export async function fillEntries(file: string, applications: number): Promise<void> {
  const database = openDatabase<RegistryTables>({ url: `sqlite:${file}` });
  try {
    await migrate(database, 'registry', REGISTRY_MIGRATIONS);
    for (let from = 0; from < applications; from += ENTRIES_PER_TRANSACTION) {
      const count = Math.min(ENTRIES_PER_TRANSACTION, applications - from);
      const entries = Array.from({ length: count }, (_, index) => entryOf(from + index));
      await transact(database, (transaction) => writeEntries(transaction, entries));
    }
  } finally {
    await database.close();
  }
}

/** A tenth have a quota and a limit that few others have, and a hundredth codes of their own. */
function entryOf(index: number): ApplicationEntry {
  return {
    kind: 'application',
    sdk_app_id: FIRST_APPLICATION + index,
    status: 'active',
    region: 'singapore',
    ...(index % 10 === 0 ? { quota_per_second: 1_000 + index, limit_per_second: 500_000 + index } : {}),
    ...(index % 100 === 0 ? { codes: { '90992': 'caller_error', '90994': 'success' } } : {}),
  };
}
