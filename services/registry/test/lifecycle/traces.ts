/* Searches everything that the registry stores for a text: every row of every table, every document, every object. */
import type { LifecycleUnderTest } from './lifecycle-under-test.js';
import { APPLICATION } from './lifecycle-under-test.js';
import { collect } from '../objects/test-places.js';

const TABLES = [
  'application',
  'slo_target',
  'code_override',
  'application_version',
  'token',
  'data_key',
  'secret',
  'audit',
  'outbox',
  'entry',
  'notice',
  'sharing',
  'export_object',
  'purge',
  'purge_place',
  'tombstone',
] as const;

/** Where a text is: names of tables, keys of objects, `documents`. */
export async function tracesOf(registry: LifecycleUnderTest, text: string): Promise<string[]> {
  const { database, documents, objects } = registry;
  const found: string[] = [];
  for (const table of TABLES) {
    const rows = await database.kysely
      .selectFrom(table as 'application')
      .selectAll()
      .execute();
    if (JSON.stringify(rows).includes(text)) found.push(table);
  }
  const versions = await documents.list(APPLICATION, { versionMax: 1_000_000, limit: 1_000 });
  for (const { version } of versions) {
    const document = await documents.read({ sdkAppId: APPLICATION, version });
    if (JSON.stringify(document).includes(text)) found.push('documents');
  }
  for (const { key } of await collect(objects.list(''))) {
    const content = await objects.get(key);
    if (key.includes(text) || content?.includes(text) === true) found.push(key);
  }
  return [...new Set(found)];
}
