/* The servers of documents and of objects stop while the registry runs. The documents' server is FerretDB, not MongoDB. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { createReadiness } from '@imscope/runtime/readiness.js';
import { startMongodb } from '@imscope/scripts/stack/mongodb.js';
import type { Restartable } from '@imscope/scripts/stack/restartable.js';
import { readS3Address, startS3 } from '@imscope/scripts/stack/s3.js';
import { openRegistry, type RegistryUnderTest } from './backends.js';
import { until } from './distribution/distribution-under-test.js';
import { newApplication } from './new-application.js';
import { testClient } from './objects/test-places.js';
import { refusedAs } from './refused-as.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-places-away-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const ONE = { params: { sdk_app_id: 1 } };
const reason = 'a test';

describe('the server of documents stops', () => {
  const readiness = createReadiness([]);
  let server: Restartable;
  let registry: RegistryUnderTest;
  before(async () => {
    const mongodb = await startMongodb({ dataDir: join(directory, 'mongodb') });
    server = mongodb;
    const env = { MONGO_URL: `${mongodb.address}/away` };
    registry = await openRegistry('integrated', 'documents_away', { env, readiness });
    await registry.call('createApplication', { body: newApplication(1) });
    await server.stop();
  });
  after(async () => {
    await registry.stop();
    await server.stop();
  });

  const AWAY = refusedAs('unavailable', 503, /the database of documents does not answer/);

  test('reads and changes of states are refused by 503, and nothing of them is written', async () => {
    await assert.rejects(registry.call('createApplication', { body: newApplication(2) }), AWAY);
    await assert.rejects(registry.call('getApplication', ONE), AWAY);
    const body = { details: { owner: 'a' }, reason };
    await assert.rejects(registry.call('changeApplication', { ...ONE, body, revision: 1 }), AWAY);
    const { applications } = await registry.call('listApplications', {});
    assert.deepEqual(
      applications.map(({ sdk_app_id: id, version }) => [id, version]),
      [[1, 1]],
    );
  });

  test('an import says that rows before may have been created', async () => {
    const answer = await registry.send('/v1/registry/imports', {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: JSON.stringify(newApplication(3)),
    });
    const { error } = Object(await answer.json());
    assert.deepEqual([answer.status, error.code], [503, 'unavailable']);
    assert.match(error.message, /rows before may have been created/);
  });

  test('what needs no documents goes on', async () => {
    const { id } = await registry.call('createToken', {
      body: { name: 'made', scope: 'read', applications: [1], reason },
    });
    assert.equal((await registry.call('revokeToken', { params: { id } })).name, 'made');
  });

  test('it is named in /ready, and all is well by itself once it answers again', async () => {
    await until(() => readiness.state().notes['documents'] !== undefined, 'the note');
    assert.match(String(readiness.state().notes['documents']), /can be neither read nor changed/);
    await server.restart();
    await until(() => readiness.state().notes['documents'] === undefined, 'the end of the note');
    assert.equal((await registry.call('getApplication', ONE)).version, 1);
  });
});

describe('the server of objects stops', () => {
  const readiness = createReadiness([]);
  let server: Restartable;
  let registry: RegistryUnderTest;
  before(async () => {
    const s3 = await startS3({ dataDir: join(directory, 's3') });
    server = s3;
    const access = readS3Address(s3.address);
    const client = testClient(access);
    await client.send(new CreateBucketCommand({ Bucket: 'away' }));
    client.destroy();
    const env = {
      COS_BUCKET: 'away',
      COS_ENDPOINT: access.endpoint,
      COS_REGION: access.region,
      COS_SECRET_ID: access.accessKeyId,
      COS_SECRET_KEY: access.secretAccessKey,
    };
    registry = await openRegistry('integrated', 'objects_away', { env, readiness });
    const push = [{ id: 'apns', channel: 'apns', pack_name: 'pack', app_id: '', sandbox: false }];
    const configuration = { push_certificates: push };
    await registry.call('createApplication', { body: newApplication(1, { configuration }) });
    await server.stop();
  });
  after(async () => {
    await registry.stop();
    await server.stop();
  });

  const AWAY = refusedAs('unavailable', 503, /the place of objects does not answer/);

  test('certificates and exports are refused by 503, and nothing of them is written', async () => {
    const certificate = { params: { sdk_app_id: 1, certificate_id: 'apns' } };
    const body = { content_base64: 'AAAA', reason };
    await assert.rejects(registry.call('putCertificate', { ...certificate, body }), AWAY);
    await assert.rejects(registry.call('createExport', { body: { kind: 'applications', reason } }), AWAY);
    const { revision, secrets } = await registry.call('getApplication', ONE);
    assert.deepEqual([revision, secrets.map(({ name }) => name)], [1, ['application_key']]);
    assert.deepEqual((await registry.call('listExports', {})).exports, []);
  });

  test('it is named in /ready until it answers again', async () => {
    await until(() => readiness.state().notes['objects'] !== undefined, 'the note');
    await server.restart();
    await until(() => readiness.state().notes['objects'] === undefined, 'the end of the note');
    const { rows } = await registry.call('createExport', { body: { kind: 'applications', reason } });
    assert.equal(rows, 1);
  });
});
