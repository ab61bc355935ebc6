/*
 * Kysely over mysql2. Every connection gets the same session settings, whatever the server's are. A statement has a
 * time limit on the client's side, because a server that vanished without closing its connections never answers.
 */
import {
  type AbortableOperationOptions,
  CompiledQuery,
  type CreateTableNode,
  type DatabaseConnection,
  type Dialect,
  MysqlDialect,
  MysqlDriver,
  type MysqlDialectConfig,
  MysqlQueryCompiler,
  type QueryResult,
} from 'kysely';
import { createPool, type SslOptions } from 'mysql2';
import { DatabaseUnavailable, StatementTimeout } from './database-error.js';

export type Tls = {
  /** Certificates of authorities in PEM; without it those that Node knows. */
  readonly ca?: string;
  /** False for a server whose certificate does not name its host, such as an address inside a cloud. Default true. */
  readonly verifyHost?: boolean;
};

export type MysqlOptions = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly place: string;
  readonly password: string | undefined;
  readonly tls: Tls | undefined;
  readonly connectionsMax: number;
  readonly statementTimeoutMs: number;
};

const CONNECT_TIMEOUT_MS = 10_000;
/** Work that waits for a connection; beyond it `DatabaseUnavailable`. */
const WAITING_MAX = 1_000;
const IDLE_TIMEOUT_MS = 60_000;

/**
 * Strict: a value that does not fit is an error, as bounds are checked before. Without NO_BACKSLASH_ESCAPES, which
 * would undo the escaping of mysql2. Bounded waits for locks; `transact` tries again.
 */
const SESSION = [
  `set session sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', innodb_lock_wait_timeout = 10`,
  // Fewer locks of gaps between rows, so fewer deadlocks; what must not change meanwhile is read `forUpdate`.
  'set session transaction isolation level read committed',
];

export function createMysqlDialect(options: MysqlOptions): Dialect {
  return new StateMysqlDialect({ pool: async () => createPool(poolOptions(options)) }, options);
}

function poolOptions(options: MysqlOptions): Parameters<typeof createPool>[0] {
  const { host, port, user, database, password, tls } = options;
  return {
    host,
    port,
    user,
    database,
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { ssl: sslOptions(tls) }),
    connectionLimit: options.connectionsMax,
    queueLimit: WAITING_MAX,
    waitForConnections: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    idleTimeout: IDLE_TIMEOUT_MS,
    enableKeepAlive: true,
    charset: 'utf8mb4_bin',
    timezone: 'Z',
    // Integers beyond 2^53 arrive as text instead of being rounded; sums of integers arrive as numbers.
    supportBigNumbers: true,
    decimalNumbers: true,
    stringifyObjects: true,
  };
}

function sslOptions({ ca, verifyHost = true }: Tls): SslOptions {
  return {
    ...(ca === undefined ? {} : { ca }),
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    verifyIdentity: verifyHost,
  };
}

class StateMysqlDialect extends MysqlDialect {
  readonly #config: MysqlDialectConfig;
  readonly #options: MysqlOptions;

  constructor(config: MysqlDialectConfig, options: MysqlOptions) {
    super(config);
    this.#config = config;
    this.#options = options;
  }

  override createDriver(): MysqlDriver {
    return new StateMysqlDriver(this.#config, this.#options);
  }

  override createQueryCompiler(): MysqlQueryCompiler {
    return new StateMysqlCompiler();
  }
}

/** What Kysely's driver gives and takes back; its declaration of `acquireConnection` states less. */
type Inner = Parameters<MysqlDriver['releaseConnection']>[0];

class StateMysqlDriver extends MysqlDriver {
  readonly #options: MysqlOptions;
  readonly #prepared = new WeakMap<DatabaseConnection, GuardedConnection>();

  constructor(config: MysqlDialectConfig, options: MysqlOptions) {
    super(config);
    this.#options = options;
  }

  override async acquireConnection(options?: AbortableOperationOptions): Promise<DatabaseConnection> {
    let inner: Inner;
    try {
      inner = (await super.acquireConnection(options)) as Inner;
    } catch (error) {
      throw new DatabaseUnavailable(`MySQL at ${this.#options.place}`, error);
    }
    const prepared = this.#prepared.get(inner);
    if (prepared !== undefined) return prepared;
    const connection = new GuardedConnection(inner, this.#options);
    try {
      for (const statement of SESSION) await connection.executeQuery(CompiledQuery.raw(statement));
    } catch (error) {
      // Not kept as prepared: the next one to get this connection tries again.
      await super.releaseConnection(inner);
      throw error;
    }
    this.#prepared.set(inner, connection);
    return connection;
  }

  override async releaseConnection(connection: Inner | GuardedConnection): Promise<void> {
    await super.releaseConnection(connection instanceof GuardedConnection ? connection.inner : connection);
  }
}

/** A connection whose statements end. */
class GuardedConnection implements DatabaseConnection {
  readonly inner: Inner;
  readonly #options: MysqlOptions;

  constructor(inner: Inner, options: MysqlOptions) {
    this.inner = inner;
    this.#options = options;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { statementTimeoutMs, place } = this.#options;
    const timedOut = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      // Closes the connection here only; the server notices by itself.
      void this.inner.killSession(async () => {});
      timedOut.reject(new StatementTimeout(`MySQL at ${place}`, statementTimeoutMs));
    }, statementTimeoutMs);
    try {
      return await Promise.race([this.inner.executeQuery<R>(query), timedOut.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    return this.inner.streamQuery(query, chunkSize);
  }
}

/** Tables are InnoDB tables whose text is compared by bytes, as SQLite compares it, unless a statement ends otherwise. */
class StateMysqlCompiler extends MysqlQueryCompiler {
  protected override visitCreateTable(node: CreateTableNode): void {
    super.visitCreateTable(node);
    if (node.endModifiers !== undefined && node.endModifiers.length > 0) return;
    this.append(' engine = InnoDB default character set = utf8mb4 collate = utf8mb4_bin');
  }
}
