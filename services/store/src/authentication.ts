/*
 * Authenticates the one user of the store: by Basic, by X-ClickHouse-User and X-ClickHouse-Key, or in the URL, as a
 * ClickHouse server does. Comparison takes constant time. A wrong or missing password gets code 516.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type StoreError, storeError } from './store-error.js';

export type Credentials = { readonly user: string; readonly password: string };

/** Throws code 516: status 401 where no credentials were given, else 403. */
export function authenticate(
  expected: Credentials,
  headers: IncomingHttpHeaders,
  url: URLSearchParams,
): void {
  const given = credentialsOf(headers, url);
  const { user, password } = given ?? { user: 'default', password: '' };
  const isUser = sameText(user, expected.user);
  if (sameText(password, expected.password) && isUser) return;
  throw storeError(
    516,
    `${user}: Authentication failed: password is incorrect, or there is no user with such name. ` +
      'Give the user and password of STORE_USER and STORE_PASSWORD',
    given === undefined ? 401 : 403,
  );
}

function credentialsOf(headers: IncomingHttpHeaders, url: URLSearchParams): Credentials | undefined {
  const [headerUser, headerKey] = [headers['x-clickhouse-user'], headers['x-clickhouse-key']];
  const inUrl = url.has('user') || url.has('password');
  if (headerUser !== undefined || headerKey !== undefined) {
    if (headers.authorization !== undefined || inUrl) throw twoWays();
    return { user: String(headerUser ?? 'default'), password: String(headerKey ?? '') };
  }
  if (headers.authorization !== undefined) {
    if (inUrl) throw twoWays();
    const basic = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(headers.authorization)?.[1];
    if (basic === undefined)
      throw storeError(516, 'Authentication failed: of the Authorization header only Basic is supported');
    const pair = Buffer.from(basic, 'base64').toString('utf8');
    const colon = pair.indexOf(':');
    return colon < 0
      ? { user: pair, password: '' }
      : { user: pair.slice(0, colon) || 'default', password: pair.slice(colon + 1) };
  }
  if (inUrl) return { user: url.get('user') || 'default', password: url.get('password') ?? '' };
  return undefined;
}

function twoWays(): StoreError {
  return storeError(
    516,
    'Invalid authentication: it is not allowed to give user and password in two ways at once',
  );
}

function sameText(left: string, right: string): boolean {
  return timingSafeEqual(digest(left), digest(right));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
