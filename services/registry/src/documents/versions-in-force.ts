/* Which version of an application its row names. */
import type { Kysely } from 'kysely';
import type { RegistryTables } from '../rows/tables.js';
import type { VersionsInForce } from './document-store.js';

export function readVersionsInForce(db: Kysely<RegistryTables>): VersionsInForce {
  return async (sdkAppIds) => {
    if (sdkAppIds.length === 0) return new Map();
    const rows = await db
      .selectFrom('application')
      .select(['sdk_app_id', 'version'])
      .where('sdk_app_id', 'in', [...sdkAppIds])
      .execute();
    return new Map(rows.map((row) => [row.sdk_app_id, row.version]));
  };
}
