import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createLogger } from '@imscope/runtime/logger.js';
import { openApplicationsFile } from '@imscope/access/applications-file.js';
import { openCredentials } from '../credentials.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-credentials-'));
after(() => rmSync(directory, { recursive: true, force: true }));

test('tokens are made once, are valid for their own scope only, and are in clear text in one file only', async () => {
  const dir = join(directory, 'a');
  const made = openCredentials(dir);
  assert.deepEqual(openCredentials(dir), made);
  const file = openApplicationsFile(made.registryFile, createLogger('test', 'error'));
  assert.equal(file.authenticate(`Bearer ${made.writeToken}`, 'write').applications, 'all');
  assert.equal(file.authenticate(`Bearer ${made.readToken}`, 'read').applications, 'all');
  assert.equal(file.authenticate(`Bearer ${made.adminToken}`, 'admin').applications, 'all');
  assert.throws(() => file.authenticate(`Bearer ${made.readToken}`, 'write'), /may read/);
  assert.throws(() => file.authenticate(`Bearer ${made.readToken}`, 'admin'), /may read/);
  await file.stop();
  assert.ok(!readFileSync(made.registryFile, 'utf8').includes(made.readToken));
  assert.equal(readFileSync(made.masterKeyFile, 'utf8'), `local:${made.masterKey}\n`);
  for (const file of [made.registryFile, made.secretsFile, made.masterKeyFile])
    assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('secrets of an earlier version stay, and those it did not have are added', () => {
  const dir = join(directory, 'e');
  const { adminToken, masterKey, ...made } = openCredentials(dir);
  const { writeToken, readToken, storePassword, sessionKey, masterKeyFile, secretsFile } = made;
  writeFileSync(secretsFile, JSON.stringify({ writeToken, readToken, storePassword, sessionKey }));
  const limits = { defaults: { quota_per_second: 7 } };
  writeFileSync(made.registryFile, JSON.stringify({ ...limits, tokens: [] }));
  rmSync(masterKeyFile);
  const added = openCredentials(dir);
  assert.equal(added.readToken, made.readToken);
  assert.ok(added.adminToken !== adminToken && added.masterKey !== masterKey);
  assert.deepEqual(openCredentials(dir), added);
  assert.match(readFileSync(made.registryFile, 'utf8'), /"quota_per_second": 7/);
});

test('two data directories never share a secret', () => {
  const [one, other] = [openCredentials(join(directory, 'b')), openCredentials(join(directory, 'c'))];
  const secrets = [one, other].flatMap((made) => [
    made.writeToken,
    made.readToken,
    made.adminToken,
    made.storePassword,
    made.sessionKey,
    made.masterKey,
  ]);
  assert.equal(new Set(secrets).size, 12);
});

test('a damaged secrets file is named in the error and not replaced', () => {
  const dir = join(directory, 'd');
  const { secretsFile } = openCredentials(dir);
  writeFileSync(secretsFile, '{"writeToken":"short"}');
  assert.throws(() => openCredentials(dir), /secrets.json is damaged/);
  assert.equal(readFileSync(secretsFile, 'utf8'), '{"writeToken":"short"}');
});
