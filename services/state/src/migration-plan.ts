/* What is left to do of a service's migrations, by the records of what was done. */
import { createHash } from 'node:crypto';
import { type Compilable, type CompiledQuery, type Kysely, sql } from 'kysely';
import { INTEGER, EPOCH_MS, text } from './columns.js';
import type { DialectName, UntypedTables } from './database.js';
import type { Migration } from './migrate.js';

export type MigrationKysely = Kysely<UntypedTables>;

export type PlannedStatement = {
  readonly migration: string;
  /** From 0, within its migration. */
  readonly position: number;
  readonly sql: string;
};

export type PendingStatement = PlannedStatement & {
  readonly query: CompiledQuery;
  /** Statements of its migration. */
  readonly statements: number;
  readonly checksum: string;
  /** Begun by a run that ended before it recorded the statement as done. */
  readonly begun: boolean;
};

export type MigrationRecord = {
  service: string;
  migration: string;
  position: number;
  /** Statements of the migration: one that has got more, or fewer, has changed. */
  statements: number;
  checksum: string;
  state: 'begun' | 'done';
  at_ms: number;
};

export const MIGRATION_TABLE = 'schema_migration';

export async function createMigrationTable(kysely: MigrationKysely): Promise<void> {
  await kysely.schema
    .createTable(MIGRATION_TABLE)
    .ifNotExists()
    .addColumn('service', text(64), (column) => column.notNull())
    .addColumn('migration', text(100), (column) => column.notNull())
    .addColumn('position', INTEGER, (column) => column.notNull())
    .addColumn('statements', INTEGER, (column) => column.notNull())
    .addColumn('checksum', text(64), (column) => column.notNull())
    .addColumn('state', text(8), (column) => column.notNull())
    .addColumn('at_ms', EPOCH_MS, (column) => column.notNull())
    .addPrimaryKeyConstraint('schema_migration_key', ['service', 'migration', 'position'])
    .execute();
}

export type PlanRequest = {
  readonly kysely: MigrationKysely;
  readonly dialect: DialectName;
  readonly service: string;
  readonly migrations: readonly Migration[];
};

export type MigrationPlan = {
  readonly pending: readonly PendingStatement[];
  readonly unknown: readonly string[];
};

/** Throws where what was done is not what the code says now. */
export async function planMigrations(request: PlanRequest): Promise<MigrationPlan> {
  const { service, migrations } = request;
  const records = await readRecords(request);
  const names = new Set(migrations.map(({ name }) => name));
  if (names.size < migrations.length)
    throw new Error(
      `two migrations of ${service} have one name: ${migrations.map(({ name }) => name).join(', ')}`,
    );
  const pending: PendingStatement[] = [];
  for (const migration of migrations) {
    const left = leftOf(migration, request, records);
    const earlier = pending[0];
    if (earlier !== undefined && records.has(migration.name))
      throw new Error(
        `migration ${earlier.migration} of ${service} is not done, but ${migration.name} after it is: put new migrations at the end`,
      );
    pending.push(...left);
  }
  return { pending, unknown: [...records.keys()].filter((name) => !names.has(name)) };
}

type Records = ReadonlyMap<string, ReadonlyMap<number, MigrationRecord>>;

async function readRecords({ kysely, dialect, service }: PlanRequest): Promise<Records> {
  const records = new Map<string, Map<number, MigrationRecord>>();
  if (!(await hasMigrationTable(kysely, dialect))) return records;
  const { rows } = await sql<MigrationRecord>`select * from ${sql.table(MIGRATION_TABLE)}
    where service = ${service} order by migration, position`.execute(kysely);
  for (const row of rows) {
    const of = records.get(row.migration) ?? new Map<number, MigrationRecord>();
    records.set(row.migration, of.set(row.position, row));
  }
  return records;
}

async function hasMigrationTable(kysely: MigrationKysely, dialect: DialectName): Promise<boolean> {
  const query =
    dialect === 'sqlite'
      ? sql`select 1 from sqlite_schema where type = 'table' and name = ${MIGRATION_TABLE}`
      : sql`select 1 from information_schema.tables
          where table_schema = database() and table_name = ${MIGRATION_TABLE}`;
  return (await query.execute(kysely)).rows.length > 0;
}

function leftOf(migration: Migration, request: PlanRequest, records: Records): PendingStatement[] {
  const { service } = request;
  const done = records.get(migration.name);
  const statements = migration.statements(request.kysely, request.dialect);
  const compiled = statements.map((statement) => compile(statement));
  for (const record of done?.values() ?? []) {
    const now = compiled[record.position];
    if (record.statements !== compiled.length || now?.checksum !== record.checksum)
      throw new Error(
        `migration ${migration.name} of ${service} has changed since it was done, at statement ${record.position + 1} of ${record.statements}; now: ${now?.query.sql ?? 'nothing'}: restore it, and put the change into a new migration`,
      );
  }
  return compiled.flatMap(({ query, checksum }, position) => {
    const state = done?.get(position)?.state;
    if (state === 'done') return [];
    return [
      {
        migration: migration.name,
        position,
        sql: query.sql,
        query,
        statements: compiled.length,
        checksum,
        begun: state === 'begun',
      },
    ];
  });
}

function compile(statement: Compilable): { query: CompiledQuery; checksum: string } {
  const query = statement.compile();
  const checksum = createHash('sha256')
    .update(`${query.sql}\n${JSON.stringify(query.parameters)}`)
    .digest('hex');
  return { query, checksum };
}
