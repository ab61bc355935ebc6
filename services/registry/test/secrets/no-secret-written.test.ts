/*
 * Every byte that a run with secrets of every kind has written or answered is searched for them: rows (SQLite: the bytes of
 * its files), documents, objects with backups and exports unpacked, Redis, the log, the answers. The documents' server is
 * FerretDB, not MongoDB.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { type Kysely, sql } from 'kysely';
import { MongoClient } from 'mongodb';
import { createClient } from 'redis';
import { BACKENDS, openRegistry, type RegistryUnderTest } from '../backends.js';
import { newApplication } from '../new-application.js';
import { createBackup } from '../../src/backup/create-backup.js';
import { ALL_TABLES } from '../../src/backup/backup-tables.js';
import type { RegistryTables } from '../../src/rows/tables.js';

const ONE = 1_400_000_501;
const PATH = `/v1/registry/applications/${ONE}`;

for (const backend of BACKENDS) {
  void describe(backend, async () => {
    const log: string[] = [];
    const registry = await openRegistry(backend, `secrets_${backend}`, {
      log: { write: (line) => void log.push(line) },
    });
    const run = await runWithSecrets(registry);

    test('no secret is in rows', async () => {
      assertHoldsNone(await rowBytes(registry), run.secrets);
    });

    test('no secret is in documents', async () => {
      assertHoldsNone(await documentBytes(registry), run.secrets);
    });

    test('no secret is in objects, backups and exports', async () => {
      const places = await objectBytes(registry);
      assert.ok(places.some(({ name }) => name.startsWith('exports/')));
      assert.ok(places.some(({ name }) => name.startsWith('backups/')));
      assert.ok(places.some(({ name }) => name.startsWith('certificates/')));
      assertHoldsNone(places, run.secrets);
    });

    test('no secret is in Redis', async () => {
      assertHoldsNone(await redisBytes(registry), run.secrets);
    });

    test('no secret is in the log', () => {
      assert.ok(log.length > 0);
      assertHoldsNone([{ name: 'log', bytes: Buffer.from(log.join('')) }], run.secrets);
    });

    test('no secret is in an answer but the one that creates it', () => {
      assert.ok(run.answers.length > 10);
      assertHoldsNone(run.answers, run.secrets);
    });

    test('the search finds a secret in every form it looks for', () => {
      const secret = { name: 'secret', value: Buffer.from('a secret of some length') };
      for (const bytes of formsOf(secret.value))
        assert.throws(
          () => assertHoldsNone([{ name: 'somewhere', bytes }], [secret]),
          /secret is in somewhere/,
        );
    });

    test.after(() => registry.stop());
  });
}

type Secret = { readonly name: string; readonly value: Buffer };
type Bytes = { readonly name: string; readonly bytes: Buffer };

/** Changes and reads everything that has to do with secrets, refusals included. */
async function runWithSecrets(
  registry: RegistryUnderTest,
): Promise<{ readonly secrets: readonly Secret[]; readonly answers: readonly Bytes[] }> {
  const { call, env } = registry;
  const answers: Bytes[] = [];
  const send = async (method: string, path: string, body?: object, headers = {}): Promise<void> => {
    const answer = await registry.send(path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    answers.push({
      name: `${method} ${path}: ${answer.status}`,
      bytes: Buffer.from(await answer.arrayBuffer()),
    });
  };
  const reason = 'a test';
  const certificates = [{ id: 'apns', channel: 'apns', pack_name: 'pack', app_id: 'app', sandbox: false }];
  const created = await call('createApplication', {
    body: newApplication(ONE, { configuration: { push_certificates: certificates } }),
  });
  const [signingKey, before, appSecret, password] = Array.from({ length: 4 }, () =>
    randomBytes(24).toString('hex'),
  );
  const certificate = randomBytes(2_000);
  const name = 'callback/signing_key';
  await send('PUT', `${PATH}/secrets`, { name, value: before, reason });
  await send('PUT', `${PATH}/secrets`, { name, value: signingKey, reason });
  await send('PUT', `${PATH}/secrets`, { name: 'push/apns/app_secret', value: appSecret, reason });
  await send('PUT', `${PATH}/secrets`, { name: 'no/such/name', value: appSecret, reason });
  await send('PUT', `${PATH}/secrets`, { name, value: [signingKey], reason });
  await send('PUT', `${PATH}/secrets`, { name, value: `${appSecret}${' '.repeat(4_096)}`, reason });
  const file = { content_base64: certificate.toString('base64'), password, reason };
  await send('PUT', `${PATH}/certificates/apns`, file);
  await send('PUT', `${PATH}/certificates/none`, file);
  await send('PUT', `${PATH}/certificates/apns`, { ...file, surplus: appSecret });
  await send('PUT', `${PATH}/certificates/apns`, { ...file, content_base64: `${file.content_base64}!` });
  await send('PUT', `${PATH}/certificates/apns`, { ...file, password: `${password}${' '.repeat(256)}` });
  // The key of an import may be one that is in use elsewhere.
  const imported = { ...newApplication(ONE + 1), key: `${appSecret} with blanks` };
  await send('POST', '/v1/registry/imports', imported, { 'content-type': 'application/x-ndjson' });
  const { revision } = await call('getApplication', { params: { sdk_app_id: ONE } });
  const rotated = await call('rotateKey', { params: { sdk_app_id: ONE }, body: { reason }, revision });
  const token = await call('createToken', {
    body: { name: 'made', scope: 'read', applications: [ONE], reason },
  });
  await send('PATCH', PATH, { configuration: { tags: ['changed'] }, reason }, { 'if-match': '"99"' });
  await send('POST', '/v1/registry/exports', { kind: 'applications', reason });
  for (const path of [
    '/v1/registry/applications',
    PATH,
    `${PATH}/versions`,
    `${PATH}/versions/1`,
    '/v1/registry/tokens',
    '/v1/registry/audit',
    '/v1/registry/exports',
    '/v1/registry/notices',
  ])
    await send('GET', path);
  await createBackup({ ...registry.state, keepDays: 1, now: Date.now });
  const masterKey = (env['REGISTRY_MASTER_KEY'] ?? '').split(':')[1] ?? '';
  const values: Readonly<Record<string, string | Buffer | undefined>> = {
    'application key': created.key,
    'rotated application key': rotated.key,
    token: token.token,
    'signing key': signingKey,
    'replaced signing key': before,
    'app secret': appSecret,
    'certificate password': password,
    certificate: certificate.subarray(0, 48),
    'master key': Buffer.from(masterKey, 'base64'),
    'secret key of the bucket': env['COS_SECRET_KEY'],
  };
  const secrets = Object.entries(values).flatMap(([secretName, value]) =>
    value === undefined ? [] : [{ name: secretName, value: Buffer.from(value) }],
  );
  return { secrets, answers };
}

function assertHoldsNone(places: readonly Bytes[], secrets: readonly Secret[]): void {
  assert.ok(
    places.every(({ bytes }) => bytes.byteLength > 0) && places.length > 0,
    'there is nothing to search',
  );
  const found = places.flatMap(({ name, bytes }) =>
    secrets
      .filter(({ value }) => formsOf(value).some((form) => bytes.includes(form)))
      .map((secret) => `${secret.name} is in ${name}`),
  );
  assert.deepEqual(found, []);
}

/** As it is, in hex, and in base64 at each of the three places it may have among other bytes. */
function formsOf(value: Buffer): Buffer[] {
  const hex = value.toString('hex');
  const base64 = [0, 1, 2].flatMap((offset) => {
    const whole = value.subarray(offset, offset + Math.floor((value.byteLength - offset) / 3) * 3);
    return [whole.toString('base64'), whole.toString('base64url')];
  });
  return [value, ...[hex, hex.toUpperCase(), ...base64].map((text) => Buffer.from(text))];
}

async function rowBytes({ state, env }: RegistryUnderTest): Promise<Bytes[]> {
  const file = /^sqlite:(.+)$/.exec(env['DATABASE_URL'] ?? '')?.[1];
  if (file !== undefined) {
    // With what is deleted, and with the write-ahead log.
    const directory = dirname(file);
    return readdirSync(directory)
      .filter((name) => name.startsWith('registry.db'))
      .map((name) => ({
        name,
        bytes: Buffer.concat([readFileSync(join(directory, name)), Buffer.from(' ')]),
      }));
  }
  const db: Kysely<RegistryTables> = state.database.kysely;
  const tables = ALL_TABLES.map(async (name) => {
    const { rows } = await sql`select * from ${sql.table(name)}`.execute(db);
    return { name, bytes: Buffer.from(JSON.stringify(rows)) };
  });
  return Promise.all(tables);
}

async function documentBytes({ env }: RegistryUnderTest): Promise<Bytes[]> {
  const url = env['MONGO_URL'];
  // Without MongoDB they are rows.
  if (url === undefined) return [{ name: 'none', bytes: Buffer.from(' ') }];
  const client = new MongoClient(url);
  try {
    const collections = await client.db().listCollections().toArray();
    assert.ok(collections.length > 0);
    return await Promise.all(
      collections.map(async ({ name }) => {
        const documents = await client.db().collection(name).find().toArray();
        assert.ok(documents.length > 0);
        return { name, bytes: Buffer.from(JSON.stringify(documents)) };
      }),
    );
  } finally {
    await client.close();
  }
}

async function objectBytes({ state: { objects } }: RegistryUnderTest): Promise<Bytes[]> {
  const all: Bytes[] = [];
  for await (const { key } of objects.list('')) {
    const stream = await objects.getStream(key);
    assert.ok(stream !== undefined);
    const bytes = await buffer(stream);
    all.push({ name: key, bytes: key.endsWith('.gz') ? gunzipSync(bytes) : bytes });
  }
  return all;
}

async function redisBytes({ env }: RegistryUnderTest): Promise<Bytes[]> {
  const all: Bytes[] = [{ name: 'start', bytes: Buffer.from(' ') }];
  const url = env['REDIS_URL'];
  if (url === undefined) return all;
  const client = await createClient({ url }).connect();
  try {
    for (const key of await client.keys(`${env['REDIS_PREFIX']}*`)) {
      const type = await client.type(key);
      const value =
        type === 'hash'
          ? await client.hGetAll(key)
          : type === 'zset'
            ? await client.zRange(key, 0, -1)
            : await client.get(key);
      all.push({ name: key, bytes: Buffer.from(JSON.stringify(value)) });
    }
    return all;
  } finally {
    await client.close();
  }
}
