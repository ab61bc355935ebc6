/* The client of Redis, for what the registry distributes: the source here, and the registry's publisher. */
import { createClient } from 'redis';

export type RedisSettings = {
  /** `redis://host:port/database`, or `rediss:` for TLS; without a password. */
  readonly url: string;
  /** Empty: the one in the URL, or the default user. */
  readonly user: string;
  /** Empty: none. */
  readonly password: string;
  /** Of all keys and the channel. */
  readonly prefix: string;
};

export const CONNECT_MS_MAX = 3_000;

export type RedisClient = ReturnType<typeof createRedisClient>;

/** A client without reconnection: sessions are opened again as a whole. RESP 2, which every Redis and proxy speaks. */
export function createRedisClient({ url: given, user, password }: RedisSettings, name: string) {
  const url = new URL(given);
  // The client reads credentials of the URL alone where it holds a user.
  const username = user === '' ? decodeURIComponent(url.username) : user;
  url.username = '';
  return createClient({
    url: url.href,
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    name,
    RESP: 2,
    disableClientInfo: true,
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
    socket: { connectTimeout: CONNECT_MS_MAX, reconnectStrategy: false },
  });
}
