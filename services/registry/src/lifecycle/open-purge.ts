/* Whether a purge of an application has begun and not completed, as a condition of a query over applications. */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { RegistryTables } from '../rows/tables.js';

export function hasNoOpenPurge({
  not,
  exists,
  selectFrom,
}: ExpressionBuilder<RegistryTables, 'application'>): Expression<SqlBool> {
  return not(
    exists(
      selectFrom('purge')
        .select('purge.sdk_app_id')
        .whereRef('purge.sdk_app_id', '=', 'application.sdk_app_id')
        .where('purge.completed_ms', 'is', null),
    ),
  );
}
