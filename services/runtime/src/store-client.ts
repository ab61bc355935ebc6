/*
 * The HTTP client of the column store, which is ClickHouse or services/store. 64-bit integers are read as JSON
 * numbers, because all of ours stay below 2^53.
 */
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { integer, secret, type Settings, text } from './config.js';

export type { ClickHouseClient };

/** Settings of every service that talks to the store. */
export const STORE_SETTINGS = {
  storeUrl: text({
    default: 'http://127.0.0.1:8123',
    pattern: /^https?:\/\/[^@\s]+$/,
    allowed: 'an http(s) URL without credentials',
    purpose: 'where the store answers',
  }),
  storeDatabase: text({
    default: 'imscope',
    pattern: /^[a-zA-Z_]\w{0,62}$/,
    purpose: 'database of the tables',
  }),
  storeUser: text({ default: 'imscope', purpose: 'user at the store' }),
  storePassword: secret({ default: '', purpose: 'password at the store' }),
  storeConnectionsMax: integer({ default: 8, min: 1, max: 256, purpose: 'connections kept to the store' }),
} satisfies Settings;

export type StoreSettings = {
  readonly storeUrl: string;
  readonly storeDatabase: string;
  readonly storeUser: string;
  readonly storePassword: string;
  readonly storeConnectionsMax: number;
};

/** @param application name shown in the store's logs @param requestTimeoutMs longest duration of one call */
export function createStoreClient(
  config: StoreSettings,
  application: string,
  requestTimeoutMs: number,
): ClickHouseClient {
  return createClient({
    url: config.storeUrl,
    database: config.storeDatabase,
    username: config.storeUser,
    password: config.storePassword,
    application,
    request_timeout: requestTimeoutMs,
    max_open_connections: config.storeConnectionsMax,
    compression: { request: false, response: false },
    // Errors reject the promise. The client's own log would repeat them, in another form.
    log: { level: ClickHouseLogLevel.OFF },
    keep_alive: { enabled: true, idle_socket_ttl: 2_000 },
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
}
