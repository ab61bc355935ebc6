/*
 * Creates the tables of `tables.ts`, the same in MySQL and SQLite. A migration that landed is never changed; a later one
 * changes its table.
 */
import { autoId, INTEGER, LONG_TEXT, SHARE, text as characters } from '@imscope/state/columns.js';
import type { DialectName, UntypedTables } from '@imscope/state/database.js';
import type { Migration } from '@imscope/state/migrate.js';
import type { Compilable, CreateTableBuilder, Generated, Kysely } from 'kysely';
import type { RegistryTables } from './tables.js';

type Column<Null extends boolean> = {
  readonly type: Parameters<CreateTableBuilder<string>['addColumn']>[1];
  readonly isNullable: Null;
  readonly isNumbering?: true;
};
const number = { type: INTEGER, isNullable: false } as const;
const real = { type: SHARE, isNullable: false } as const;
const longText = { type: LONG_TEXT, isNullable: false } as const;
const text = (lengthMax: number) => ({ type: characters(lengthMax), isNullable: false }) as const;
/** Numbers its rows in the order of their insertion; a number is never given twice. */
const numbering = { ...number, isNumbering: true } as const;
const orNull = (column: Column<false>): Column<true> => ({ ...column, isNullable: true });

/** Every column of the table, nullable where its type is. */
type ColumnsOf<T> = {
  readonly [K in keyof T]-?: T[K] extends Generated<number>
    ? typeof numbering
    : Column<null extends T[K] ? true : false>;
};

type TableName = keyof RegistryTables;
type Keys<N extends TableName> = readonly Extract<keyof RegistryTables[N], string>[];

/** `Later`: columns that a later migration adds. */
type TableDescription<N extends TableName, Later> = {
  readonly columns: ColumnsOf<Omit<RegistryTables[N], Later & string>>;
  /** Left out where a column numbers the rows. */
  readonly primaryKey?: Keys<N>;
  readonly indexes?: readonly Keys<N>[];
  readonly uniqueIndexes?: readonly Keys<N>[];
};

type Index = { readonly name: string; readonly keys: string[]; readonly isUnique: boolean };

function createTable<N extends TableName, Later = never>(
  name: N,
  description: TableDescription<N, Later>,
): Migration {
  return {
    name: `create ${name}`,
    statements: (db, dialect) => tableStatements(db, dialect, name, description),
  };
}

function tableStatements<N extends TableName, Later>(
  db: Kysely<UntypedTables>,
  dialect: DialectName,
  name: N,
  { columns, primaryKey = [], indexes = [], uniqueIndexes = [] }: TableDescription<N, Later>,
): Compilable[] {
  let table: CreateTableBuilder<string, string> = db.schema.createTable(name);
  for (const [column, { type, isNullable, isNumbering }] of Object.entries<Column<boolean>>(columns)) {
    table = table.addColumn(column, type, (built) => {
      if (isNumbering === true) return autoId(built);
      return isNullable ? built : built.notNull();
    });
  }
  if (primaryKey.length > 0) table = table.addPrimaryKeyConstraint(`${name}_key`, [...primaryKey]);
  const all: Index[] = [
    ...indexes.map((keys) => ({ keys, isUnique: false })),
    ...uniqueIndexes.map((keys) => ({ keys, isUnique: true })),
  ].map(({ keys, isUnique }) => ({ keys: [...keys], isUnique, name: `${name}_by_${keys.join('_')}` }));
  if (dialect === 'sqlite') {
    const created = all.map((index) => {
      const built = db.schema.createIndex(index.name).on(name).columns(index.keys);
      return index.isUnique ? built.unique() : built;
    });
    return [table, ...created];
  }
  // One statement makes the table with its indexes.
  for (const { keys, isUnique, name: index } of all) {
    table = isUnique ? table.addUniqueConstraint(index, keys) : table.addIndex(index, keys);
  }
  return [table];
}

const APPLICATION = createTable<'application', 'interfaces' | 'runbook_url' | 'links'>('application', {
  columns: {
    sdk_app_id: number,
    app_id: number,
    uin: number,
    name: text(64),
    introduction: text(400),
    description: text(2_000),
    type: text(32),
    owner: text(64),
    package: text(32),
    subscriptions: longText,
    administrators: longText,
    data_centre: text(32),
    quota_per_second: orNull(number),
    limit_per_second: orNull(number),
    logged_share: real,
    status: text(16),
    revision: number,
    version: number,
    created_ms: number,
    updated_ms: number,
    terminated_ms: orNull(number),
    purge_ms: orNull(number),
    search_text: text(400),
  },
  primaryKey: ['sdk_app_id'],
  indexes: [
    ['status', 'sdk_app_id'],
    ['purge_ms'],
    // A search reads this index instead of the rows.
    ['search_text', 'sdk_app_id', 'status'],
  ],
});

const OF_APPLICATIONS = [
  createTable('slo_target', {
    columns: {
      sdk_app_id: number,
      position: number,
      interface: orNull(text(128)),
      success_rate_min: real,
      latency_ms_max: orNull(number),
      latency_share_min: orNull(real),
    },
    primaryKey: ['sdk_app_id', 'position'],
  }),
  createTable('code_override', {
    columns: { sdk_app_id: number, code: number, outcome: text(16) },
    primaryKey: ['sdk_app_id', 'code'],
  }),
  createTable('application_version', {
    columns: {
      sdk_app_id: number,
      version: number,
      author: text(64),
      reason: text(200),
      created_ms: number,
      state: longText,
    },
    primaryKey: ['sdk_app_id', 'version'],
    indexes: [['created_ms']],
  }),
  createTable('data_key', {
    columns: { sdk_app_id: number, key_id: text(64), wrapped_key: text(1_000) },
    primaryKey: ['sdk_app_id'],
    indexes: [['key_id', 'sdk_app_id']],
  }),
  createTable('secret', {
    columns: {
      sdk_app_id: number,
      name: text(128),
      sealed: longText,
      object_key: orNull(text(500)),
      set_ms: number,
    },
    primaryKey: ['sdk_app_id', 'name'],
  }),
  createTable('notice', {
    columns: { id: numbering, at_ms: number, sdk_app_id: number, kind: text(32), message: text(1_000) },
    indexes: [['sdk_app_id', 'id']],
  }),
  createTable('sharing', {
    columns: {
      id: numbering,
      sdk_app_id: number,
      requested_ms: number,
      shared_ms: orNull(number),
      end_requested_ms: orNull(number),
      ended_ms: orNull(number),
      attempts: number,
      last_error: orNull(text(1_000)),
    },
    indexes: [['sdk_app_id', 'id']],
  }),
];

const OF_ALL = [
  createTable('token', {
    columns: {
      id: numbering,
      sha256: text(64),
      name: text(64),
      scope: text(16),
      applications: longText,
      created_ms: number,
      expires_ms: orNull(number),
      records_per_second_max: orNull(number),
      origin: text(8),
    },
    uniqueIndexes: [['sha256']],
    indexes: [['name'], ['expires_ms']],
  }),
  createTable('audit', {
    columns: {
      id: numbering,
      at_ms: number,
      actor: text(64),
      action: text(64),
      sdk_app_id: orNull(number),
      reason: text(200),
      paths: longText,
      revision: orNull(number),
    },
    indexes: [['sdk_app_id', 'id'], ['at_ms']],
  }),
  createTable('outbox', {
    columns: {
      id: numbering,
      kind: text(32),
      sdk_app_id: number,
      payload: longText,
      idempotency_key: text(128),
      created_ms: number,
      due_ms: number,
      attempts: number,
      last_error: orNull(text(1_000)),
    },
    uniqueIndexes: [['idempotency_key']],
    indexes: [
      ['due_ms', 'id'],
      ['sdk_app_id', 'kind'],
    ],
  }),
  createTable('entry', {
    columns: { entry_key: text(128), revision: number, entry: orNull(longText) },
    primaryKey: ['entry_key'],
    uniqueIndexes: [['revision']],
  }),
  createTable('counter', { columns: { name: text(32), value: number }, primaryKey: ['name'] }),
  createTable('distribution_position', {
    columns: { sink: text(64), revision: number, detail: longText },
    primaryKey: ['sink'],
  }),
  createTable<'export_object', 'applications'>('export_object', {
    columns: {
      id: text(64),
      kind: text(32),
      sdk_app_id: orNull(number),
      author: text(64),
      created_ms: number,
      row_count: number,
      byte_count: number,
      object_key: text(500),
      ends_ms: number,
    },
    primaryKey: ['id'],
    indexes: [['ends_ms'], ['created_ms'], ['sdk_app_id']],
  }),
];

const OF_PURGES = [
  createTable('purge', {
    columns: {
      sdk_app_id: number,
      terminated_ms: number,
      due_ms: number,
      latest_ms: number,
      started_ms: number,
      completed_ms: orNull(number),
      backups_expire_ms: orNull(number),
    },
    primaryKey: ['sdk_app_id', 'terminated_ms'],
    indexes: [['completed_ms'], ['started_ms']],
  }),
  createTable('purge_place', {
    columns: {
      sdk_app_id: number,
      terminated_ms: number,
      place: text(32),
      state: text(16),
      deleted: number,
      done_ms: orNull(number),
      last_error: orNull(text(1_000)),
    },
    primaryKey: ['sdk_app_id', 'terminated_ms', 'place'],
  }),
  createTable('tombstone', {
    columns: { sdk_app_id: number, purged_ms: number },
    primaryKey: ['sdk_app_id'],
  }),
  createTable('backup', {
    columns: {
      id: text(64),
      created_ms: number,
      completed_ms: orNull(number),
      object_prefix: text(500),
      expires_ms: number,
    },
    primaryKey: ['id'],
    indexes: [['expires_ms']],
  }),
];

const CHANGES: readonly Migration[] = [
  {
    name: 'export_object: applications',
    statements: (db) => [db.schema.alterTable('export_object').addColumn('applications', LONG_TEXT)],
  },
  {
    name: 'application: interfaces',
    statements: (db) => [db.schema.alterTable('application').addColumn('interfaces', LONG_TEXT)],
  },
  {
    name: 'application: runbook_url',
    statements: (db) => [db.schema.alterTable('application').addColumn('runbook_url', characters(500))],
  },
  {
    name: 'application: links',
    statements: (db) => [db.schema.alterTable('application').addColumn('links', LONG_TEXT)],
  },
];

export const REGISTRY_MIGRATIONS: readonly Migration[] = [
  APPLICATION,
  ...OF_APPLICATIONS,
  ...OF_ALL,
  ...OF_PURGES,
  ...CHANGES,
];
