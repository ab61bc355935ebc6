import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { MARIADB_PASSWORD, type MariadbServer, startMariadb } from '../../../scripts/stack/mariadb.js';
import { createTestMysql } from '../../../scripts/stack/test-databases.js';
import { openDatabase } from '../src/database.js';
import { DatabaseUnavailable } from '../src/database-error.js';
import { type DatabaseConfig, databaseOptions } from '../src/database-settings.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-mysql-tls-'));
const [named, unnamed] = [
  makeCertificate('named', 'DNS:localhost'),
  makeCertificate('unnamed', 'DNS:other.test'),
];
const servers: MariadbServer[] = [];
const urls = new Map<string, string>();

/** A certificate of its own authority. */
function makeCertificate(name: string, host: string): { name: string; cert: string; key: string } {
  const [cert, key] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${host}`, '-days', '2'];
  const args = ['req', '-x509', ...curve, '-keyout', key, '-out', cert, ...subject];
  execFileSync('openssl', args, { stdio: 'pipe' });
  return { name, cert, key };
}

before(async () => {
  for (const { name, cert, key } of [named, unnamed]) {
    const args = [`--ssl-cert=${cert}`, `--ssl-key=${key}`];
    const server = await startMariadb({ dataDir: join(directory, name), args });
    servers.push(server);
    urls.set(name, (await createTestMysql(server.address, 'tls')).url.replace('127.0.0.1', 'localhost'));
  }
});

after(async () => {
  for (const server of servers) await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** The cipher of a connection; empty where it is not encrypted. */
async function cipherOf(name: string, settings: Partial<DatabaseConfig>): Promise<unknown> {
  const config: DatabaseConfig = {
    databaseUrl: urls.get(name) ?? '',
    databasePassword: MARIADB_PASSWORD,
    databaseTls: 'verify_identity',
    databaseCaFile: '',
    ...settings,
  };
  const database = openDatabase(databaseOptions(config));
  try {
    const { rows } = await sql<{ Value: string }>`show status like 'Ssl_cipher'`.execute(database.kysely);
    return rows[0]?.Value;
  } finally {
    await database.close();
  }
}

test('without TLS a connection is not encrypted', async () => {
  assert.equal(await cipherOf('named', { databaseTls: 'off' }), '');
});

test('with TLS a connection is encrypted where the certificate is of an authority that is trusted', async () => {
  assert.match(String(await cipherOf('named', { databaseCaFile: named.cert })), /^TLS_|GCM|CHACHA/);
});

test('a certificate of an unknown authority is refused', async () => {
  await assert.rejects(cipherOf('named', {}), DatabaseUnavailable);
  await assert.rejects(cipherOf('named', { databaseCaFile: unnamed.cert }), DatabaseUnavailable);
});

test('a certificate of another host is refused, unless only the authority is to be checked', async () => {
  const databaseCaFile = unnamed.cert;
  await assert.rejects(cipherOf('unnamed', { databaseCaFile }), DatabaseUnavailable);
  const cipher = await cipherOf('unnamed', { databaseCaFile, databaseTls: 'verify_ca' });
  assert.notEqual(cipher, '');
});

test('an address without a host name is refused where the host is to be checked', () => {
  const tls = { verifyHost: true };
  assert.throws(() => openDatabase({ url: 'mysql://u@127.0.0.1/d', tls }), /give a name/);
  assert.doesNotThrow(() => openDatabase({ url: 'mysql://u@127.0.0.1/d', tls: { verifyHost: false } }));
});

test('a file of authorities that cannot be read is an error of settings', () => {
  const config: DatabaseConfig = {
    databaseUrl: 'mysql://u@h/d',
    databasePassword: '',
    databaseTls: 'verify_ca',
    databaseCaFile: join(directory, 'missing.pem'),
  };
  assert.throws(() => databaseOptions(config), /DATABASE_CA_FILE cannot be read|settings/);
});
