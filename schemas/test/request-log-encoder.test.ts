import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { REQUEST_LOG_SCHEMA } from '../src/avro-schema.js';
import { parseIpAddress } from '../src/ip-address.js';
import { OUTCOMES } from '../src/outcome.js';
import { REQUEST_LOG_BOUNDS, type RequestLog } from '../src/request-log.js';
import { REQUEST_LOG_ENCODER } from '../src/request-log-encoder.js';

const bounds = REQUEST_LOG_BOUNDS;
const { bytesMax, encode } = REQUEST_LOG_ENCODER;

/** Numbers of every length in bytes, and the edges between them. */
function integer(min: number, max: number): fc.Arbitrary<number> {
  const edges = Array.from({ length: 53 }, (_, bits) => [2 ** bits - 1, 2 ** bits, -(2 ** bits)]).flat();
  return fc.oneof(fc.maxSafeInteger(), fc.constantFrom(...edges)).map((n) => Math.max(min, Math.min(max, n)));
}

function text(lengthMax: number): fc.Arbitrary<string> {
  const ascii = fc.string({ unit: 'binary-ascii', maxLength: lengthMax });
  const any = fc.string({ unit: 'binary', maxLength: lengthMax / 2 }).map((drawn) => drawn.toWellFormed());
  return fc.oneof(
    ascii,
    any,
    fc.integer({ min: 0, max: lengthMax }).map((length) => '的'.repeat(length)),
  );
}

const duration = integer(0, bounds.durationUsMax);
const label = text(bounds.labelLengthMax);
const record: fc.Arbitrary<RequestLog> = fc.record({
  time: integer(0, 2 ** 52),
  sdk_app_id: integer(1, bounds.sdkAppIdMax),
  interface: text(bounds.interfaceLengthMax),
  exit_ip: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
  latency_us: duration,
  upstream_us: fc.option(duration),
  rtt_us: fc.option(duration),
  code: fc.option(integer(bounds.codeMin, bounds.codeMax)),
  http_status: integer(0, 599),
  outcome: fc.constantFrom(...OUTCOMES),
  exception: text(bounds.exceptionLengthMax),
  cause: text(bounds.causeLengthMax),
  node: label,
  region: label,
  platform: label,
  sdk_version: label,
  request_id: text(bounds.requestIdLengthMax),
  weight: integer(1, 2 ** 31 - 1),
});

test('a record’s bytes are those that avsc writes, at any position', () => {
  fc.assert(
    fc.property(record, fc.nat(64), (one, at) => {
      const into = Buffer.alloc(at + bytesMax, 0xaa);
      const end = encode(one, into, at);
      assert.deepEqual(into.subarray(at, end), REQUEST_LOG_SCHEMA.type.toBuffer(one));
      assert.ok(into.subarray(0, at).every((byte) => byte === 0xaa));
    }),
    { numRuns: 2_000 },
  );
});

test('an IPv4 address as its number is the mapped address', () => {
  const [drawn] = fc.sample(record, 1);
  assert.ok(drawn);
  for (const address of ['0.0.0.0', '203.0.113.7', '127.255.255.255', '128.0.0.0', '255.255.255.255']) {
    const exit_ip = parseIpAddress(address);
    assert.ok(exit_ip);
    const [byNumber, byBytes] = [exit_ip.readUInt32BE(12), exit_ip].map((given): Buffer => {
      const into = Buffer.alloc(bytesMax, 0xaa);
      return into.subarray(0, encode({ ...drawn, exit_ip: given }, into, 0));
    });
    assert.deepEqual(byNumber, byBytes);
  }
});

function wide(length: number): string {
  return '的'.repeat(length);
}

test('the largest record there may be fits its bound', () => {
  const largest: RequestLog = {
    time: 2 ** 52,
    sdk_app_id: bounds.sdkAppIdMax,
    interface: wide(bounds.interfaceLengthMax),
    exit_ip: Buffer.alloc(16, 0xff),
    latency_us: bounds.durationUsMax,
    upstream_us: bounds.durationUsMax,
    rtt_us: bounds.durationUsMax,
    code: bounds.codeMin,
    http_status: 599,
    outcome: 'unknown',
    exception: wide(bounds.exceptionLengthMax),
    cause: wide(bounds.causeLengthMax),
    node: wide(bounds.labelLengthMax),
    region: wide(bounds.labelLengthMax),
    platform: wide(bounds.labelLengthMax),
    sdk_version: wide(bounds.labelLengthMax),
    request_id: wide(bounds.requestIdLengthMax),
    weight: 2 ** 31 - 1,
  };
  const into = Buffer.alloc(bytesMax);
  const end = encode(largest, into, 0);
  assert.ok(end <= bytesMax);
  assert.deepEqual(into.subarray(0, end), REQUEST_LOG_SCHEMA.type.toBuffer(largest));
});
