import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  CannotOpen,
  newDataKey,
  openSealed,
  seal,
  unwrapDataKey,
  wrapDataKey,
} from '../../src/secrets/envelope.js';

const PLACE = { sdkAppId: 1_400_000_001, field: 'push/apns/app_secret' };
const CONTENT = Buffer.from('a secret of an administrator');
const MASTER = { id: 'one', key: randomBytes(32) };

test('a sealed value opens with its key, application and field', () => {
  const key = newDataKey();
  assert.deepEqual(openSealed(key, seal(key, CONTENT, PLACE), PLACE), CONTENT);
});

test('a sealed value does not open under another application', () => {
  const key = newDataKey();
  const sealed = seal(key, CONTENT, PLACE);
  assert.throws(() => openSealed(key, sealed, { ...PLACE, sdkAppId: 1_400_000_002 }), CannotOpen);
});

test('a sealed value does not open under another field', () => {
  const key = newDataKey();
  const sealed = seal(key, CONTENT, PLACE);
  assert.throws(() => openSealed(key, sealed, { ...PLACE, field: 'callback/signing_key' }), CannotOpen);
});

test('a sealed value does not open with another data key', () => {
  const sealed = seal(newDataKey(), CONTENT, PLACE);
  assert.throws(() => openSealed(newDataKey(), sealed, PLACE), CannotOpen);
});

test('a change of any bit of a sealed value is found', () => {
  const key = newDataKey();
  const sealed = seal(key, CONTENT, PLACE);
  for (let bit = 0; bit < sealed.byteLength * 8; bit++) {
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    assert.throws(() => openSealed(key, changed, PLACE), CannotOpen, `bit ${bit}`);
  }
});

test('a sealed value that was cut anywhere does not open', () => {
  const key = newDataKey();
  const sealed = seal(key, CONTENT, PLACE);
  for (let length = 0; length < sealed.byteLength; length++)
    assert.throws(() => openSealed(key, sealed.subarray(0, length), PLACE), CannotOpen, `${length} bytes`);
});

test('the same value is sealed differently each time', () => {
  const key = newDataKey();
  assert.notDeepEqual(seal(key, CONTENT, PLACE), seal(key, CONTENT, PLACE));
});

test('a data key that is wrapped for one application does not open for another', () => {
  const wrapped = wrapDataKey(MASTER, newDataKey(), 1_400_000_001);
  assert.throws(() => unwrapDataKey(MASTER, wrapped, 1_400_000_002), CannotOpen);
});

test('a wrong master key is named by its id, and never shown', () => {
  const wrapped = wrapDataKey(MASTER, newDataKey(), 1_400_000_001);
  const wrong = { id: 'one', key: randomBytes(32) };
  assert.throws(
    () => unwrapDataKey(wrong, wrapped, 1_400_000_001),
    (error) => {
      assert.ok(error instanceof CannotOpen);
      assert.match(error.message, /master key one/);
      for (const key of [wrong.key, MASTER.key])
        for (const encoding of ['base64', 'hex'] as const)
          assert.ok(!error.message.includes(key.toString(encoding)));
      return true;
    },
  );
});
