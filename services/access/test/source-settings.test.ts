import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '@imscope/runtime/config.js';
import { checkSourceSettings, SOURCE_SETTINGS } from '../src/source-settings.js';

const REDIS = 'redis://127.0.0.1:6379';

function faultsOf(environment: Record<string, string>, needed = true): string {
  const loaded = loadConfig(SOURCE_SETTINGS, environment);
  return [
    ...(loaded.ok ? [] : loaded.errors),
    ...checkSourceSettings(loaded.ok ? loaded.config : loaded.read, needed),
  ].join('\n');
}

test('exactly one source is given', () => {
  for (const one of [
    { REGISTRY_FILE: 'x.json' },
    { REGISTRY_REDIS_URL: REDIS },
    { REGISTRY_TOPIC: 'true' },
  ]) {
    assert.equal(faultsOf(one), '');
  }
  assert.match(faultsOf({}), /REGISTRY_FILE is not set, nor REGISTRY_REDIS_URL or REGISTRY_TOPIC/);
  assert.equal(faultsOf({}, false), '');
  assert.match(
    faultsOf({ REGISTRY_FILE: 'x.json', REGISTRY_TOPIC: 'true' }),
    /REGISTRY_FILE is "x.json" and REGISTRY_TOPIC is true: .* keep one/,
  );
});

test('credentials in the URL of Redis are refused', () => {
  assert.match(faultsOf({ REGISTRY_REDIS_URL: 'redis://user:secret@10.0.0.1' }), /without user and password/);
  assert.equal(faultsOf({ REGISTRY_REDIS_URL: 'rediss://redis.internal:6380/2' }), '');
});
