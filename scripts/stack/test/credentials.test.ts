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
  assert.throws(() => file.authenticate(`Bearer ${made.readToken}`, 'write'), /may read/);
  await file.stop();
  assert.ok(!readFileSync(made.registryFile, 'utf8').includes(made.readToken));
  for (const file of [made.registryFile, made.secretsFile]) assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('two data directories never share a secret', () => {
  const [one, other] = [openCredentials(join(directory, 'b')), openCredentials(join(directory, 'c'))];
  const secrets = [one, other].flatMap((made) => [
    made.writeToken,
    made.readToken,
    made.storePassword,
    made.sessionKey,
  ]);
  assert.equal(new Set(secrets).size, 8);
});

test('a damaged secrets file is named in the error and not replaced', () => {
  const dir = join(directory, 'd');
  const { secretsFile } = openCredentials(dir);
  writeFileSync(secretsFile, '{"writeToken":"short"}');
  assert.throws(() => openCredentials(dir), /secrets.json is damaged/);
  assert.equal(readFileSync(secretsFile, 'utf8'), '{"writeToken":"short"}');
});
