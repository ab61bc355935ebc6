/*
 * Sends allowed, doubtful and hostile values in every parameter and body of every operation of the registry, as its
 * OpenAPI document describes them. The seed is fixed; IMSCOPE_TEST_SEED sets another.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { tryApi } from '../api-properties/try-api.js';
import { openCredentials } from '../stack/credentials.js';
import { freePort } from '../stack/ports.js';
import { type RunningService, runServiceCommand, startService } from '../stack/services.js';

const SEED = Number(process.env['IMSCOPE_TEST_SEED'] ?? 20_261_129);
const directory = mkdtempSync(join(tmpdir(), 'imscope-registry-properties-'));
const credentials = openCredentials(join(directory, 'credentials'));
let url = '';
let registry: RunningService;

before(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const service = {
    name: 'registry',
    mode: 'source',
    env: {
      REGISTRY_PORT: String(port),
      DATABASE_URL: `sqlite:${join(directory, 'registry.db')}`,
      OBJECTS_DIR: join(directory, 'objects'),
      REGISTRY_MASTER_KEY_FILE: credentials.masterKeyFile,
      REGISTRY_FILE: credentials.registryFile,
    },
    logFile: join(directory, 'registry.log'),
  } as const;
  await runServiceCommand(service, ['migrate']);
  registry = await startService(service);
});
after(async () => {
  await registry.stop();
  rmSync(directory, { recursive: true, force: true });
});

test('the registry answers every request as its OpenAPI document says', async () => {
  const { places, rounds, requests, accepted, faults } = await tryApi({
    serviceUrl: url,
    documentPath: '/v1/registry/openapi.json',
    tokens: { bearer: credentials.adminToken },
    seed: SEED,
    requestsPerRound: 2,
    roundsMin: 1,
    roundsMax: 20,
    timeMs: 10_000,
  });
  console.log(
    `registry: seed ${SEED}, ${requests} requests to ${places} places in ${rounds} rounds, ${accepted} accepted`,
  );
  assert.equal(faults.length, 0, `\n${faults.join('\n')}`);
  assert.ok(accepted > 0, 'no request was accepted');
});
