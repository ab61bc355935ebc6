import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openCredentials } from '../../../scripts/stack/credentials.js';
import { writeLocalStack } from '../../../scripts/stack/local-stack.js';
import { localUrl, readLocalStack, serviceEnvironment } from '../src/command/local-stack.js';
import { UsageError } from '../src/command/usage-error.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-local-stack-'));
after(() => rmSync(directory, { recursive: true }));

const STORE = { STORE_URL: 'http://127.0.0.1:18123', STORE_USER: 'imscope', STORE_DATABASE: 'imscope' };
const KAFKA = { KAFKA_BROKERS: '127.0.0.1:19092', KAFKA_TOPIC_PREFIX: 'mine.' };

const credentials = openCredentials(directory);
const { storePassword, sessionKey } = credentials;
writeLocalStack(credentials, {
  collectorUrl: 'http://127.0.0.1:18088',
  queryUrl: 'http://127.0.0.1:18080',
  services: {
    aggregator: { ...STORE, ...KAFKA, STORE_PASSWORD: storePassword },
    collector: { ...KAFKA, SPOOL_DIR: '/data/spool', REGISTRY_FILE: credentials.registryFile },
    query: { ...STORE, STORE_PASSWORD: storePassword, SESSION_KEY: sessionKey },
  },
});

test('an empty environment gets every setting of the local stack, secrets among them', () => {
  const { environment, local, isUnconfigured } = serviceEnvironment('aggregator', {}, directory);
  assert.deepEqual(environment, { ...STORE, ...KAFKA, STORE_PASSWORD: storePassword });
  assert.deepEqual(new Set(local), new Set(Object.keys(environment)));
  assert.equal(isUnconfigured, false);
  assert.equal(serviceEnvironment('query', {}, directory).environment['SESSION_KEY'], sessionKey);
  assert.equal(serviceEnvironment('collector', {}, directory).environment['SPOOL_DIR'], '/data/spool');
  assert.equal(localUrl('queryUrl', directory), 'http://127.0.0.1:18080');
  assert.equal(localUrl('collectorUrl', directory), 'http://127.0.0.1:18088');
});

test('settings of the environment have precedence, each by itself', () => {
  const given = { KAFKA_TOPIC_PREFIX: 'other.', STORE_PASSWORD: 'given', PATH: '/bin' };
  const { environment, local } = serviceEnvironment('aggregator', given, directory);
  assert.deepEqual(environment, { ...STORE, ...KAFKA, ...given });
  assert.ok(!local.includes('KAFKA_TOPIC_PREFIX') && local.includes('STORE_URL'));
  assert.equal(
    serviceEnvironment('aggregator', { STORE_URL: '' }, directory).environment['STORE_URL'],
    STORE.STORE_URL,
    'empty is not set',
  );
});

test('if the environment names another stack, nothing of the local one is used', () => {
  for (const given of [{ STORE_URL: 'https://store.example' }, { KAFKA_BROKERS: 'kafka.example:9092' }]) {
    const found = serviceEnvironment('aggregator', given, directory);
    assert.deepEqual(found, { environment: given, local: [], isUnconfigured: false });
  }
  const same = serviceEnvironment('aggregator', { STORE_URL: STORE.STORE_URL }, directory);
  assert.equal(same.environment['STORE_PASSWORD'], storePassword);
});

test('without a local stack the environment stays as it is', () => {
  const none = join(directory, 'none');
  assert.equal(readLocalStack(none), undefined);
  assert.deepEqual(serviceEnvironment('aggregator', {}, none), {
    environment: {},
    local: [],
    isUnconfigured: true,
  });
  assert.equal(serviceEnvironment('aggregator', STORE, none).isUnconfigured, false);
  assert.equal(localUrl('queryUrl', none), 'http://127.0.0.1:8080');
});

test('the file of addresses holds no secret and is readable by its owner only', () => {
  const file = join(directory, 'stack.json');
  const text = readFileSync(file, 'utf8');
  for (const secret of [storePassword, sessionKey, credentials.readToken, credentials.writeToken]) {
    assert.ok(!text.includes(secret));
  }
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('a malformed file is named without its content', () => {
  const broken = mkdtempSync(join(directory, 'broken-'));
  writeFileSync(join(broken, 'stack.json'), '{"collectorUrl":"hunter2"}');
  assert.throws(
    () => serviceEnvironment('aggregator', {}, broken),
    (error) =>
      error instanceof UsageError && /scripts\/start/.test(error.message) && !/hunter2/.test(error.message),
  );
  assert.equal(localUrl('queryUrl', broken), 'http://127.0.0.1:8080');
});
