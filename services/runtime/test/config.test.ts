import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  choice,
  describeConfig,
  environmentName,
  flag,
  integer,
  list,
  loadConfig,
  secret,
  text,
} from '../src/config.js';

const SETTINGS = {
  batchRowsMax: integer({ default: 10, min: 1, max: 100, purpose: 'rows' }),
  name: text({ purpose: 'a name' }),
  password: secret({ default: '', purpose: 'a password' }),
  brokers: list({ default: ['a:1'], purpose: 'brokers' }),
  mode: choice({ default: 'on', values: ['on', 'off'], purpose: 'mode' }),
  tls: flag({ default: false, purpose: 'tls' }),
};

test('settings come from the environment, else from defaults; empty text counts as not set', () => {
  const loaded = loadConfig(SETTINGS, {
    NAME: 'x',
    BATCH_ROWS_MAX: '100',
    BROKERS: 'a:1, b:2',
    MODE: '',
    TLS: 'true',
  });
  assert.deepEqual(loaded, {
    ok: true,
    config: { batchRowsMax: 100, name: 'x', password: '', brokers: ['a:1', 'b:2'], mode: 'on', tls: true },
  });
});

test('all errors are reported at once, each with the received value and the allowed ones', () => {
  const loaded = loadConfig(SETTINGS, { BATCH_ROWS_MAX: '101', MODE: 'maybe', TLS: 'yes', BROKERS: 'a,,b' });
  assert.ok(!loaded.ok);
  assert.equal(loaded.errors.length, 5);
  assert.match(loaded.errors.join('\n'), /BATCH_ROWS_MAX is "101": give a whole number from 1 to 100/);
  assert.match(loaded.errors.join('\n'), /NAME is not set: a name/);
  assert.match(loaded.errors.join('\n'), /MODE is "maybe": give one of on, off/);
});

test('text that only looks like a number is refused', () => {
  for (const given of ['1e1', '0x10', ' 5', '5.0', '99999999999999999999', 'NaN']) {
    assert.equal(loadConfig({ n: SETTINGS.batchRowsMax }, { N: given }).ok, false, given);
  }
});

test('a secret is in no error and no description', () => {
  const settings = { password: secret({ purpose: 'a password' }) };
  const loaded = loadConfig(settings, { PASSWORD: 'hunter2hunter2' });
  assert.ok(loaded.ok);
  assert.doesNotMatch(describeConfig(settings, loaded.config).join(), /hunter2/);
});

test('names in the environment are the names in code in capitals', () => {
  assert.equal(environmentName('batchRowsMax'), 'BATCH_ROWS_MAX');
});
