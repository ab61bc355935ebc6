import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { HttpError } from '../src/http-errors.js';
import { createLogger } from '../src/logger.js';
import { hashToken, mayUse, openTokens } from '../src/tokens.js';

const WRITE = 'write-token-0123456789';
const READ = 'read-token-0123456789';
const logger = createLogger('test', 'error', { write: () => undefined });
let directory: string;

before(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'imscope-tokens-'));
});
after(() => rmSync(directory, { recursive: true }));

function tokenFile(name: string, content: unknown): string {
  const file = path.join(directory, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const VALID = {
  tokens: [
    { name: 'gateway-1', sha256: hashToken(WRITE), scope: 'write', applications: 'all' },
    { name: 'dashboard', sha256: hashToken(READ), scope: 'read', applications: [7, 9] },
  ],
};

function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof HttpError);
    return error.code;
  }
  return 'none';
}

test('a token opens what its scope and applications allow, and nothing else', () => {
  const tokens = openTokens(tokenFile('valid.json', VALID), logger);
  const grant = tokens.authenticate(`Bearer ${READ}`, 'read');
  assert.deepEqual([grant.name, mayUse(grant, 7), mayUse(grant, 8)], ['dashboard', true, false]);
  assert.equal(mayUse(tokens.authenticate(`bearer ${WRITE}`, 'write'), 123), true);
  assert.equal(
    refusal(() => tokens.authenticate(`Bearer ${READ}`, 'write')),
    'not_allowed',
  );
  assert.equal(
    refusal(() => tokens.authenticate('Bearer no-such-token-anywhere', 'read')),
    'invalid_token',
  );
  for (const header of [undefined, '', 'Basic abc', 'Bearer', 'Bearer short', `Bearer ${READ} ${READ}`]) {
    assert.equal(
      refusal(() => tokens.authenticate(header, 'read')),
      'missing_token',
      String(header),
    );
  }
  tokens.stop();
});

test('a malformed or missing token file stops the start and says where it is wrong', () => {
  assert.throws(() => openTokens(path.join(directory, 'missing.json'), logger), /cannot be read/);
  assert.throws(() => openTokens(tokenFile('text.json', 'not json'), logger), /cannot be read/);
  const wrong = { tokens: [{ ...VALID.tokens[0], scope: 'admin' }] };
  assert.throws(() => openTokens(tokenFile('wrong.json', wrong), logger), /malformed at \/tokens\/0/);
});

test('a changed file takes effect without a restart, and a broken one leaves the last good one in force', async () => {
  const file = tokenFile('changing.json', VALID);
  const tokens = openTokens(file, logger, 20);
  const changed = async (content: unknown, seconds: number, until: () => boolean): Promise<void> => {
    tokenFile('changing.json', content);
    utimesSync(file, seconds, seconds);
    const deadline = Date.now() + 10_000;
    while (!until()) {
      if (Date.now() > deadline) assert.fail('the change was not taken in 10 s');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  await changed(
    { tokens: [VALID.tokens[1]] },
    2_000_000_000,
    () => refusal(() => tokens.authenticate(`Bearer ${WRITE}`, 'write')) === 'invalid_token',
  );
  let errors = 0;
  const watched = openTokens(file, createLogger('test', 'error', { write: () => (errors += 1) }), 20);
  await changed('{broken', 2_000_000_001, () => errors > 0);
  assert.equal(watched.authenticate(`Bearer ${READ}`, 'read').name, 'dashboard');
  tokens.stop();
  watched.stop();
});
