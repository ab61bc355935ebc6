/*
 * Brings a database's tables to this version: numbered .sql files, applied in order, statement by statement.
 * Every statement can be repeated and is recorded when done, so an interrupted migration continues where it stopped.
 * Files that were applied may not change: their checksum is compared with the recorded one.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

export type Migration = {
  readonly id: string;
  readonly checksum: string;
  readonly statements: readonly string[];
};

/** The two functions of the store that a migration needs. `select` returns rows as objects. */
export type MigrationStore = {
  command(sql: string, params?: Record<string, unknown>): Promise<void>;
  select(sql: string): Promise<readonly Record<string, unknown>[]>;
};

const FILE = /^(\d{4})_[a-z0-9_]+\.sql$/;
const DIRECTORY = new URL('../clickhouse/', import.meta.url);

const LEDGER = `CREATE TABLE IF NOT EXISTS schema_migration
(
    id String, statement UInt32, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree ORDER BY (id, statement)`;

/** All migrations in order. Throws where a file is misnamed or two have the same number. */
export function readMigrations(directory: URL = DIRECTORY): Migration[] {
  const files = readdirSync(directory)
    .filter((file) => file.endsWith('.sql'))
    .toSorted();
  const numbers = new Set<string>();
  return files.map((file) => {
    const number = FILE.exec(file)?.[1];
    if (number === undefined || numbers.has(number)) {
      throw new Error(`migration ${file}: name it NNNN_what_it_does.sql with an unused number`);
    }
    numbers.add(number);
    const text = readFileSync(new URL(file, directory), 'utf8');
    return {
      id: file.replace(/\.sql$/, ''),
      checksum: createHash('sha256').update(text).digest('hex'),
      statements: splitStatements(text),
    };
  });
}

/** Statements end with a semicolon at the end of a line; full-line comments are dropped. */
function splitStatements(text: string): string[] {
  const code = text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('--'))
    .join('\n');
  return code
    .split(/;\s*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

export type MigrationStep = { readonly id: string; readonly statement: number; readonly sql: string };

/**
 * Applies what is missing.
 * @returns the steps that were run, or with `dryRun` those that would be
 * @throws where an applied file has changed since; nothing is applied then
 */
export async function migrate(
  store: MigrationStore,
  options: { dryRun: boolean; migrations?: readonly Migration[] },
): Promise<MigrationStep[]> {
  const migrations = options.migrations ?? readMigrations();
  const applied = await readApplied(store);
  const steps: MigrationStep[] = [];
  for (const { id, checksum, statements } of migrations) {
    statements.forEach((sql, statement) => {
      const recorded = applied.get(`${id}#${statement}`);
      if (recorded === undefined) steps.push({ id, statement, sql });
      else if (recorded !== checksum) {
        throw new Error(
          `migration ${id} was applied with checksum ${recorded.slice(0, 12)} and is now ${checksum.slice(0, 12)}: ` +
            'restore the file and put the change into a new one',
        );
      }
    });
  }
  if (options.dryRun) return steps;
  const checksums = new Map(migrations.map(({ id, checksum }) => [id, checksum]));
  await store.command(LEDGER);
  for (const step of steps) {
    await store.command(step.sql);
    await store.command(
      'INSERT INTO schema_migration (id, statement, checksum) SELECT {id:String}, {statement:UInt32}, {checksum:String}',
      { id: step.id, statement: step.statement, checksum: checksums.get(step.id) ?? '' },
    );
  }
  return steps;
}

async function readApplied(store: MigrationStore): Promise<Map<string, string>> {
  const [exists] = await store.select('EXISTS TABLE schema_migration');
  if (Number(exists?.['result'] ?? 0) === 0) return new Map();
  const rows = await store.select('SELECT id, statement, checksum FROM schema_migration FINAL');
  return new Map(
    rows.map((row) => [`${String(row['id'])}#${String(row['statement'])}`, String(row['checksum'])]),
  );
}
