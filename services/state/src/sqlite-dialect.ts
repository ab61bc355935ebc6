/*
 * Kysely over libsql: one file, one connection in a process. It reads Kysely's MySQL forms, so that one query serves
 * both databases: auto-increment ids, `forUpdate` and `onDuplicateKeyUpdate`.
 */
import { closeSync, openSync } from 'node:fs';
import {
  type ColumnDefinitionNode,
  CompiledQuery,
  DataTypeNode,
  type DatabaseConnection,
  type Dialect,
  type OnDuplicateKeyNode,
  type SelectModifierNode,
  type SelectQueryNode,
  type SqliteDatabase,
  SqliteDialect,
  type SqliteDialectConfig,
  SqliteDriver,
  SqliteQueryCompiler,
  type SqliteStatement,
  type TransactionSettings,
} from 'kysely';
import Libsql from 'libsql';

export type SqliteOptions = { readonly file: string; readonly busyTimeoutMs: number };

/** Enough for the largest table of one machine's reads without going to the file: 16 MB, in kibibytes. */
const CACHE_KIB = 16_384;

export function createSqliteDialect(options: SqliteOptions): Dialect {
  return new StateSqliteDialect({ database: async () => openFile(options) });
}

function openFile({ file, busyTimeoutMs }: SqliteOptions): SqliteDatabase {
  // SQLite gives its other files (-wal, -shm) the mode of this one.
  closeSync(openSync(file, 'a', 0o600));
  const database = new Libsql(file, { timeout: busyTimeoutMs });
  try {
    for (const pragma of [
      'journal_mode = WAL',
      // A transaction that was answered is on the disk, also after a power cut.
      'synchronous = FULL',
      'foreign_keys = ON',
      // As MySQL compares utf8mb4_bin.
      'case_sensitive_like = ON',
      `cache_size = -${CACHE_KIB}`,
    ])
      database.prepare(`PRAGMA ${pragma}`).all();
  } catch (error) {
    database.close();
    throw new Error(`cannot open the SQLite database ${file}: is it one, and may this user write it?`, {
      cause: error,
    });
  }
  return {
    close: () => {
      database.close();
    },
    prepare: (sql) => prepare(database, sql),
  };
}

const TRANSACTION_CONTROL = /^(begin|commit|rollback|savepoint|release)\b/;
const WRITING = /^\s*(insert|update|delete|replace|create|alter|drop)\b/i;

/**
 * libsql does not reset a statement that found the database busy: until it is collected, every commit of the connection
 * fails ("SQL statements in progress"). So only `exec`, which leaves no statement, ever meets a lock: transactions begin
 * with it, and a write outside of one gets one.
 */
function prepare(database: Libsql.Database, sql: string): SqliteStatement {
  if (TRANSACTION_CONTROL.test(sql)) return { ...NO_STATEMENT, run: () => execute(database, sql) };
  const statement = database.prepare(sql);
  const write = (values: readonly unknown[]): Libsql.RunResult => statement.run(values.map(bound));
  return {
    reader: statement.reader,
    all: (values) => statement.all(values.map(bound)),
    iterate: (values) => statement.iterate(values.map(bound)),
    run: (values) =>
      database.inTransaction || !WRITING.test(sql)
        ? write(values)
        : inTransaction(database, () => write(values)),
  };
}

const NO_STATEMENT = { reader: false, all: () => [], iterate: () => [].values() };

function execute(database: Libsql.Database, sql: string): Libsql.RunResult {
  database.exec(sql);
  return { changes: 0, lastInsertRowid: 0 };
}

function inTransaction<R>(database: Libsql.Database, work: () => R): R {
  database.exec('begin immediate');
  try {
    const result = work();
    database.exec('commit');
    return result;
  } catch (error) {
    if (database.inTransaction) database.exec('rollback');
    throw error;
  }
}

/**
 * A value as libsql binds it right. It aborts the whole process at a boolean, and binds every number as a real, which
 * a column of text would show as "3.0".
 */
function bound(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (Number.isSafeInteger(value)) return BigInt(Number(value));
  // libsql would cut it off there.
  if (typeof value === 'string' && value.includes('\0'))
    throw new TypeError('a text for SQL holds the character NUL, which SQLite does not keep: remove it');
  const known = value === null || ['string', 'number', 'bigint'].includes(typeof value);
  if (!known && !(value instanceof Uint8Array))
    throw new TypeError(
      `a value for SQL is ${value === undefined ? 'undefined' : typeof value}: give a string, number, bigint, boolean, bytes or null`,
    );
  return value;
}

class StateSqliteDialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig;

  constructor(config: SqliteDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): SqliteDriver {
    return new StateSqliteDriver(this.#config);
  }

  override createQueryCompiler(): SqliteQueryCompiler {
    return new StateSqliteCompiler();
  }
}

class StateSqliteDriver extends SqliteDriver {
  /** Takes the right to write at the start: a reader that becomes a writer late fails without a chance to wait. */
  override async beginTransaction(
    connection: DatabaseConnection,
    settings?: TransactionSettings,
  ): Promise<void> {
    const mode = settings?.accessMode === 'read only' ? 'deferred' : 'immediate';
    await connection.executeQuery(CompiledQuery.raw(`begin ${mode}`));
  }
}

class StateSqliteCompiler extends SqliteQueryCompiler {
  /** SQLite counts up only a column whose type is exactly INTEGER, which has 64 bits. */
  protected override visitColumnDefinition(node: ColumnDefinitionNode): void {
    super.visitColumnDefinition(
      node.autoIncrement === true ? { ...node, dataType: DataTypeNode.create('integer') } : node,
    );
  }

  /** A transaction that writes holds the lock of all rows already. */
  protected override visitSelectQuery(node: SelectQueryNode): void {
    const { endModifiers, ...rest } = node;
    const kept = endModifiers?.filter((modifier) => !isRowLock(modifier));
    super.visitSelectQuery(kept === undefined || kept.length === 0 ? rest : { ...rest, endModifiers: kept });
  }

  protected override visitOnDuplicateKey(node: OnDuplicateKeyNode): void {
    this.append('on conflict do update set ');
    this.compileList(node.updates);
  }
}

function isRowLock({ modifier }: SelectModifierNode): boolean {
  return (
    modifier === 'ForUpdate' || modifier === 'ForShare' || modifier === 'NoWait' || modifier === 'SkipLocked'
  );
}
