import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { signatureHeaders } from '../../src/sharing/signed-request.js';

const EXAMPLE = {
  url: 'https://trtc.example.com/im/sharing?tenant=1',
  idempotencyKey: '3f0c8f2e-58a2-4f0e-9a52-0f8f6e1c2d3b',
  body: '{"event":"end","sdk_app_id":1400000001,"changed_at_ms":1767312000000}',
};

test('the documented example has the signature of the code', () => {
  const endpoint = { url: EXAMPLE.url, keyId: 'key-1', key: '0123456789abcdef' };
  const headers = signatureHeaders(endpoint, EXAMPLE, 1_767_312_000_999);
  assert.equal(headers['imscope-timestamp'], '1767312000');
  const document = readFileSync(new URL('../../docs/sharing.md', import.meta.url), 'utf8');
  for (const value of [headers['imscope-signature'], EXAMPLE.body, EXAMPLE.idempotencyKey]) {
    assert.ok(document.includes(String(value)), value);
  }
});
