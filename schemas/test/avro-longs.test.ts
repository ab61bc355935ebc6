/* Longs of 64 bits: good Avro beyond what a number of JavaScript keeps exactly. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import avro from 'avsc';
import { skipValue } from '../src/avro-skip.js';
import { REQUEST_LOG_SCHEMA } from '../src/avro-schema.js';
import { encodeLong, longEnd, wrapBlock } from '../src/container.js';
import { decodeContainer, decodeRecord, verifyContainer } from '../src/container-decoder.js';
import { decimalOfText } from '../src/decimal-text.js';
import { addressBeforePort } from '../src/ip-address.js';

const ones = Array.from({ length: 9 }, () => 0xff);
/** 2^60. */
const BEYOND = Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]);

test('a long ends with its last byte, within ten bytes and 64 bits', () => {
  for (const value of [0, -1, 1, 63, 64, 2 ** 31, -(2 ** 51)]) {
    const bytes = encodeLong(value);
    assert.equal(longEnd(bytes, 0), bytes.length, String(value));
  }
  assert.equal(longEnd(BEYOND, 0), 9);
  assert.equal(longEnd(Buffer.from([7, ...ones, 1]), 1), 11);
  for (const bytes of [[], ones, [...ones, 2], [...ones, 0x80, 0]]) {
    assert.equal(longEnd(Buffer.from(bytes), 0), undefined, String(bytes));
  }
  assert.equal(skipValue(avro.Type.forSchema('long'), BEYOND, 0), 9);
  assert.equal(skipValue(avro.Type.forSchema('int'), BEYOND, 0), undefined);
});

test('a container with a long beyond 2^53 is valid, though its records are not built', () => {
  const { type } = REQUEST_LOG_SCHEMA;
  const texts = {
    exception: '',
    cause: '',
    node: '',
    region: '',
    platform: '',
    sdk_version: '',
    request_id: '',
  };
  const encoded = type.toBuffer({
    time: 0,
    sdk_app_id: 1,
    interface: 'openim/sendmsg',
    exit_ip: Buffer.alloc(16),
    latency_us: 1,
    upstream_us: null,
    rtt_us: null,
    code: null,
    http_status: 0,
    outcome: 'unknown',
    weight: 1,
    ...texts,
  });
  // Time and application are one byte each.
  const plain = Buffer.concat([encoded.subarray(0, 1), BEYOND, encoded.subarray(2)]);
  const container = wrapBlock(REQUEST_LOG_SCHEMA, 1, plain);
  assert.equal(verifyContainer(container).ok, true);
  assert.deepEqual(decodeContainer(container), { ok: false, fault: 'bad_record' });
  assert.equal(decodeRecord(type, plain, 0), undefined);
  assert.equal(decodeRecord(type, encoded, 0)?.offset, encoded.length);
});

test('text is a number where it is a plain decimal of at most 20 digits', () => {
  for (const [text, value] of [
    ['0', 0],
    ['-7', -7],
    ['41.5', 41.5],
    ['1400000001', 1_400_000_001],
    ['18446744073709551615', 2 ** 64],
  ] as const) {
    assert.equal(decimalOfText(text), value);
  }
  for (const text of ['', ' 1', '1 ', '+1', '1.', '.5', '0x1', '1e3', '1,5', 'NaN', '٣', '9'.repeat(21)]) {
    assert.equal(decimalOfText(text), undefined, text);
  }
});

test('an address before a port is read where it has only one meaning', () => {
  for (const [text, address] of [
    ['203.0.113.7:52110', '203.0.113.7'],
    ['[2001:db8::7]:443', '2001:db8::7'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['203.0.113.7', undefined],
    ['2001:db8::7', undefined],
    ['2001:db8::7:443', undefined],
    ['203.0.113.7:65536', undefined],
    ['203.0.113.7:', undefined],
    ['[203.0.113.7]:80', undefined],
    ['[2001:db8::7]:65536', undefined],
    ['gateway.example:80', undefined],
  ] as const) {
    assert.equal(addressBeforePort(text), address, text);
  }
});
