import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authenticate } from '../src/authentication.js';
import { STORE_SETTINGS, type StoreConfig, refuseOpenStore } from '../src/config.js';
import { loadConfig } from '@imscope/runtime/config.js';
import { StoreError } from '../src/store-error.js';

const expected = { user: 'im', password: 'p:w ü' };
const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;
const refused = (status: number) => (error: unknown) =>
  error instanceof StoreError && error.code === 516 && error.status === status;
const url = (query = ''): URLSearchParams => new URLSearchParams(query);

test('user and password are read from Basic, from the headers, or from the URL', () => {
  authenticate(expected, { authorization: basic('im:p:w ü') }, url());
  authenticate(expected, { 'x-clickhouse-user': 'im', 'x-clickhouse-key': 'p:w ü' }, url());
  authenticate(expected, {}, new URLSearchParams({ user: 'im', password: 'p:w ü' }));
});

test('a store without a password accepts the default user without one', () => {
  const open = { user: 'default', password: '' };
  authenticate(open, {}, url());
  authenticate(open, { authorization: basic('default:') }, url());
  assert.throws(() => authenticate(open, { authorization: basic('default:x') }, url()), refused(403));
});

test('no credentials get 401, wrong ones get 403', () => {
  assert.throws(() => authenticate(expected, {}, url()), refused(401));
  for (const pair of ['im:wrong', 'im', 'else:p:w ü', ':p:w ü'])
    assert.throws(() => authenticate(expected, { authorization: basic(pair) }, url()), refused(403), pair);
  assert.throws(() => authenticate(expected, { authorization: 'Bearer x' }, url()), refused(403));
  assert.throws(() => authenticate(expected, { 'x-clickhouse-user': 'im' }, url()), refused(403));
  assert.throws(() => authenticate(expected, {}, url('user=im')), refused(403));
});

test('credentials given in two ways are refused, even if both are right', () => {
  const headers = {
    authorization: basic('im:p:w ü'),
    'x-clickhouse-user': 'im',
    'x-clickhouse-key': 'p:w ü',
  };
  assert.throws(() => authenticate(expected, headers, url()), /two ways at once/);
});

function configOf(environment: Record<string, string>): StoreConfig {
  const loaded = loadConfig(STORE_SETTINGS, { STORE_DATA_DIR: 'x', ...environment });
  assert.ok(loaded.ok);
  return loaded.config;
}

test('without a password the store listens on loopback only', () => {
  refuseOpenStore(configOf({}));
  refuseOpenStore(configOf({ STORE_HOST: 'localhost' }));
  refuseOpenStore(configOf({ STORE_HOST: '0.0.0.0', STORE_PASSWORD: 'x' }));
  for (const STORE_HOST of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.com'])
    assert.throws(() => refuseOpenStore(configOf({ STORE_HOST })), /STORE_PASSWORD is not set/, STORE_HOST);
});
