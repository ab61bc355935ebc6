import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publishedLimit } from '../src/published-limits.js';

test('most interfaces may be called 200 times a second, some less often', () => {
  assert.equal(publishedLimit('openim/sendmsg'), 200);
  assert.equal(publishedLimit('an/unknown_one'), 200);
  assert.equal(publishedLimit('im_open_login_svc/multiaccount_import'), 100);
});

test('callbacks have no published limit, and no member of every object is taken for an interface', () => {
  assert.equal(publishedLimit('callback/C2C.CallbackBeforeSendMsg'), null);
  assert.equal(publishedLimit('constructor'), 200);
});
