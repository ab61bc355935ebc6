/*
 * Creates the tables of `tables.ts`, the same in MySQL and SQLite. A migration that landed is never changed; a later one
 * changes its table.
 */
import { autoId, EPOCH_MS, INTEGER, text } from '@imscope/state/columns.js';
import type { Migration } from '@imscope/state/migrate.js';

export const QUERY_MIGRATIONS: readonly Migration[] = [
  {
    name: '0001-exception-mutes',
    statements: ({ schema }) => [
      schema
        .createTable('exception_mute')
        .addColumn('sdk_app_id', INTEGER, (column) => column.notNull())
        .addColumn('group_id', text(16), (column) => column.notNull())
        .addColumn('actor', text(128), (column) => column.notNull())
        .addColumn('reason', text(200), (column) => column.notNull())
        .addColumn('created_ms', EPOCH_MS, (column) => column.notNull())
        .addColumn('until_ms', EPOCH_MS, (column) => column.notNull())
        .addPrimaryKeyConstraint('exception_mute_key', ['sdk_app_id', 'group_id']),
    ],
  },
  {
    name: '0002-audit',
    statements: ({ schema }) => [
      schema
        .createTable('query_audit')
        .addColumn('id', INTEGER, autoId)
        .addColumn('at_ms', EPOCH_MS, (column) => column.notNull())
        .addColumn('actor', text(128), (column) => column.notNull())
        .addColumn('action', text(64), (column) => column.notNull())
        .addColumn('sdk_app_id', INTEGER, (column) => column.notNull())
        .addColumn('subject', text(128), (column) => column.notNull())
        .addColumn('reason', text(200), (column) => column.notNull()),
      schema.createIndex('query_audit_by_at_ms').on('query_audit').columns(['at_ms']),
    ],
  },
];
