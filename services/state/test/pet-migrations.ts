/* Migrations with every kind of statement: tables, indexes, columns, rows, a table that goes again. */
import { autoId, INTEGER, text } from '../src/columns.js';
import type { Migration } from '../src/migrate.js';

export const FIRST: Migration = {
  name: '0001-pets',
  statements: ({ schema }) => [
    schema
      .createTable('pet')
      .addColumn('id', INTEGER, autoId)
      .addColumn('name', text(20), (column) => column.notNull()),
    schema.createIndex('pet_by_name').on('pet').columns(['name']).unique(),
  ],
};

export const SECOND: Migration = {
  name: '0002-owners',
  statements: (kysely) => [
    kysely.schema.alterTable('pet').addColumn('owner', text(20)),
    kysely.insertInto('pet').values({ name: 'Rex', owner: 'Ann' }),
    kysely.insertInto('pet').values({ name: 'Tom', owner: 'Bob' }),
    kysely.schema.createTable('old').addColumn('a', INTEGER),
    kysely.schema.dropTable('old'),
  ],
};

export const PET_MIGRATIONS: readonly Migration[] = [FIRST, SECOND];
export const PET_STATEMENTS = 7;

/** What the second one inserts, in the order of names. */
export const BOTH_PETS = [
  { name: 'Rex', owner: 'Ann' },
  { name: 'Tom', owner: 'Bob' },
];
