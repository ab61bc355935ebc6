import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '@imscope/runtime/config.js';
import { COLLECTOR_SETTINGS } from '../src/config.js';
import { hashSettings } from '../src/create-facts.js';

const GIVEN = {
  SPOOL_DIR: '/var/lib/imscope',
  KAFKA_BROKERS: '127.0.0.1:9092',
  REGISTRY_FILE: '/etc/imscope/registry.json',
};

function hashOf(changes: Readonly<Record<string, string>>): string {
  const loaded = loadConfig(COLLECTOR_SETTINGS, { ...GIVEN, ...changes });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return hashSettings(loaded.config);
}

test('the hash changes with a setting, not with its place in the environment', () => {
  assert.notEqual(hashOf({ LINGER_MS_MAX: '51' }), hashOf({}));
  assert.equal(hashOf({ LINGER_MS_MAX: '50' }), hashOf({}));
});

test('collectors of other names and other secrets have the same hash', () => {
  assert.equal(hashOf({ COLLECTOR_NAME: 'edge-2', KAFKA_PASSWORD: 'hidden' }), hashOf({}));
});
