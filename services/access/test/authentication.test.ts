import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthentication, type IdentifiedRequest } from '../src/authentication.js';
import { permits, TOKEN_SCOPES } from '@imscope/schemas/registry-entry.js';
import type { Grant, Scope } from '../src/grant.js';
import { createSessionSeal, SESSION_COOKIE } from '../src/session-seal.js';
import { createTokens, hashToken } from '../src/tokens.js';

const NOW = 1_800_000_000_000;
const READER = 'a-token-that-may-read';
const WRITER = 'a-token-that-may-write';
const GRANTS = new Map(
  [grant(READER, 'read'), grant(WRITER, 'write')].map((given) => [given.tokenHash, given]),
);
const seal = createSessionSeal('a key of thirty-two characters or more');
const tokens = createTokens((hash) => GRANTS.get(hash));

test('a bearer token and a session of it identify the same caller', () => {
  const { grantOf } = createAuthentication(tokens, seal, 'read');
  assert.equal(grantOf(bearer(READER), NOW).name, READER);
  assert.equal(grantOf(session(READER, NOW + 1), NOW).name, READER);
});

test('a session sealed by one service opens in another with the same key', () => {
  const other = createSessionSeal('a key of thirty-two characters or more');
  assert.equal(
    createAuthentication(tokens, other, 'read').sessionOf(session(READER, NOW + 1), NOW)?.grant.name,
    READER,
  );
});

test('a session that expired, or whose token was removed, is over', () => {
  const { grantOf } = createAuthentication(tokens, seal, 'read');
  const over = { code: 'invalid_token', message: /this session is over/ };
  assert.throws(() => grantOf(session(READER, NOW), NOW), over);
  assert.throws(() => grantOf(session('a-token-that-was-removed', NOW + 1), NOW), over);
});

test('a session of a token without the wanted scope is not over but not allowed', () => {
  const { grantOf } = createAuthentication(tokens, seal, 'write');
  assert.throws(() => grantOf(session(READER, NOW + 1), NOW), {
    code: 'not_allowed',
    message: /has scope read and may read, this address wants a session of a token that may write/,
  });
});

test('a request with a token and a session is identified by its token alone', () => {
  const { grantOf } = createAuthentication(tokens, seal, 'read');
  const { headers } = bearer('a-token-nobody-knows');
  const { cookies } = session(READER, NOW + 1);
  assert.throws(() => grantOf({ headers, cookies }, NOW), { code: 'invalid_token' });
});

test('a scope includes what it names and nothing beyond', () => {
  const included = Object.fromEntries(
    TOKEN_SCOPES.map((scope) => [scope, TOKEN_SCOPES.filter((wanted) => permits(scope, wanted))]),
  );
  assert.deepEqual(included, {
    write: ['write'],
    read: ['read'],
    requests: ['read', 'requests'],
    admin: ['read', 'requests', 'admin'],
  });
});

test('a token without the wanted scope is refused with both scopes named', () => {
  assert.throws(() => tokens.authenticate(`Bearer ${READER}`, 'requests'), {
    code: 'not_allowed',
    message:
      /has scope read and may read, this address wants a token that may read single requests: ask for one with scope requests/,
  });
});

function grant(token: string, scope: Scope): Grant {
  return {
    name: token,
    scope,
    applications: 'all',
    tokenHash: hashToken(token),
    recordsPerSecondMax: Infinity,
    expiresMs: Infinity,
  };
}

function bearer(token: string): IdentifiedRequest {
  return { headers: { authorization: `Bearer ${token}` }, cookies: {} };
}

function session(token: string, expiresMs: number): IdentifiedRequest {
  return {
    headers: {},
    cookies: { [SESSION_COOKIE]: seal.seal({ tokenHash: hashToken(token), expiresMs }) },
  };
}
