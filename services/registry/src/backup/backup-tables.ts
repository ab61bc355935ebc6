/* What becomes of each table in a backup and in a restore. */
import type { RegistryTables } from '../rows/tables.js';

/**
 * `rows`: in the file of rows. `documents`: in the file of documents, wherever they are kept. `rebuilt`: not in a backup:
 * positions of sinks begin again, and backups are read from the store of objects.
 */
const TABLES: Readonly<Record<keyof RegistryTables, 'rows' | 'documents' | 'rebuilt'>> = {
  application: 'rows',
  slo_target: 'rows',
  code_override: 'rows',
  application_version: 'documents',
  token: 'rows',
  data_key: 'rows',
  secret: 'rows',
  audit: 'rows',
  outbox: 'rows',
  entry: 'rows',
  counter: 'rows',
  distribution_position: 'rebuilt',
  notice: 'rows',
  sharing: 'rows',
  export_object: 'rows',
  purge: 'rows',
  purge_place: 'rows',
  tombstone: 'rows',
  backup: 'rebuilt',
};

/** Under this name the registry's migrations are recorded. */
export const REGISTRY_SERVICE = 'registry';

export type TableName = keyof RegistryTables;

/** All tables of the registry. */
export const ALL_TABLES: readonly TableName[] = Object.keys(TABLES).filter(isTable);

/** Those in the file of rows. */
export const ROW_TABLES: readonly TableName[] = ALL_TABLES.filter((name) => TABLES[name] === 'rows');

function isTable(name: string): name is TableName {
  return Object.hasOwn(TABLES, name);
}
