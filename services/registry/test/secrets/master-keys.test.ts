import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SettingsError } from '@imscope/runtime/settings-error.js';
import {
  MASTER_KEY_PROBE,
  masterKeySettingFaults,
  newMasterKeyLine,
  parseMasterKeys,
  readMasterKeys,
} from '../../src/secrets/master-keys.js';

const NOW_MS = Date.UTC(2026, 10, 29);
const KEY = randomBytes(32).toString('base64');

test('the first line is the active key, the others are found by their ids', () => {
  const old = randomBytes(32);
  const keys = parseMasterKeys(`# keys\n\nnew:${KEY}\nold:${old.toString('base64')}\n`, 'source');
  assert.equal(keys.active.id, 'new');
  assert.deepEqual(keys.find('old')?.key, old);
  assert.equal(keys.find('none'), undefined);
});

for (const [title, content, expected] of [
  ['no key', '# nothing\n', /holds no master key/],
  ['a short key', `new:${randomBytes(16).toString('base64')}`, /line 1: not a master key/],
  ['a line without an id', KEY, /line 1: not a master key/],
  ['a second key of the same id', `new:${KEY}\nnew:${randomBytes(32).toString('base64')}`, /line 2.*id new/],
] as const) {
  test(`a file with ${title} is refused, without its keys in the message`, () => {
    assert.throws(
      () => parseMasterKeys(content, 'source'),
      (error) => {
        assert.ok(error instanceof SettingsError);
        assert.match(error.message, expected);
        for (const base64 of content.match(/[A-Za-z0-9+/]{20,}=*/g) ?? [])
          assert.ok(!error.message.includes(base64));
        return true;
      },
    );
  });
}

test('a key file that is not there is named', () => {
  const settings = { registryMasterKeyFile: '/nowhere/keys', registryMasterKey: '' };
  assert.throws(() => readMasterKeys(settings), /\/nowhere\/keys cannot be read \(ENOENT\)/);
});

test('a new line is read as a master key, from a file', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'imscope-keys-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'master-keys');
  await writeFile(file, newMasterKeyLine(NOW_MS) + newMasterKeyLine(NOW_MS));
  const keys = readMasterKeys({ registryMasterKeyFile: file, registryMasterKey: '' });
  assert.match(keys.active.id, /^2026-11-29-/);
});

test('a check before a start names the setting of a wrong key', () => {
  const [fault] = MASTER_KEY_PROBE.check({ registryMasterKeyFile: '', registryMasterKey: 'new:short' });
  assert.equal(fault?.setting, 'registryMasterKey');
  assert.match(fault.message, /line 1: not a master key/);
});

test('one of file and variable is needed, not both', () => {
  assert.deepEqual(masterKeySettingFaults({ registryMasterKeyFile: 'file', registryMasterKey: '' }), []);
  assert.match(masterKeySettingFaults({})[0] ?? '', /neither is set/);
  const [both = ''] = masterKeySettingFaults({ registryMasterKeyFile: 'file', registryMasterKey: KEY });
  assert.match(both, /both are set/);
  assert.ok(!both.includes(KEY));
});
