import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { HttpError } from '@imscope/runtime/http-errors.js';
import fc from 'fast-check';
import { parseBody, RECORDS_MAX } from '../src/bodies/parse-body.js';
import {
  type Any,
  any,
  asJson,
  asProtobuf,
  attributes,
  logRecord,
  type ResourceLogs,
  writeAny,
} from './otlp-body.js';

const SEED = 6;
const RUNS = 3_000;
const ROOM = { inflatedBytesMax: 1 << 20, reserve: () => undefined };

function parse(bytes: Buffer, format: 'otlp-protobuf' | 'otlp-json'): unknown[] {
  const values: unknown[] = [];
  parseBody({ bytes, format }, ROOM, (index, value) => {
    assert.equal(index, values.length);
    values.push(value);
  });
  return values;
}

/** The stable code of an error, or `none`. Whatever else is thrown fails the test. */
function codeOf(bytes: Buffer, format: 'otlp-protobuf' | 'otlp-json' = 'otlp-protobuf'): string {
  let handedOn = 0;
  try {
    parseBody({ bytes, format }, ROOM, () => (handedOn += 1));
  } catch (error) {
    assert(error instanceof HttpError, String(error));
    assert.equal(handedOn, 0, 'records of a body that is refused');
    return error.code;
  }
  return 'none';
}

/** Tags and lengths of messages around `content`, from the outermost. */
function within(fields: readonly number[], content: Uint8Array): Buffer {
  return Buffer.from(
    fields.reduceRight((inner: Uint8Array, field) => {
      const writer = new BinaryWriter();
      return writer.tag(field, WireType.LengthDelimited).bytes(inner).finish();
    }, content),
  );
}

const IN_RECORD = [1, 2, 2];

const scalar: fc.Arbitrary<Any> = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 300 }).map((stringValue) => ({ stringValue })),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ({ intValue: String(value) })),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((double) => ({ doubleValue: double + 0 })),
  fc.boolean().map((boolValue) => ({ boolValue })),
);
const { value } = fc.letrec<{ value: Any }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }).map((values) => ({ arrayValue: { values } })),
    fc
      .dictionary(fc.string(), tie('value'), { maxKeys: 3 })
      .map((entries) => ({ kvlistValue: { values: attributes(entries) } })),
  ),
}));
const key = fc.oneof(
  fc.constantFrom('im.code', 'im.latency_ms', 'url.path', 'http.route', 'host.name', 'exception.message'),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
);
const keyValues = fc
  .array(fc.record({ key, value }), { maxLength: 6 })
  .map((pairs) => pairs.map((pair) => ({ ...pair })));
const record = fc.record(
  {
    timeUnixNano: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
    observedTimeUnixNano: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
    severityNumber: fc.integer({ min: 0, max: 24 }),
    body: value,
    attributes: keyValues,
    traceId: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((id) => Buffer.from(id).toString('hex')),
  },
  { requiredKeys: [] },
);
const request: fc.Arbitrary<ResourceLogs[]> = fc.array(
  fc.record({
    resource: fc.record({ attributes: keyValues }),
    logRecords: fc.array(record, { maxLength: 4 }),
  }),
  { maxLength: 3 },
);

test('any request gives the same records from protobuf and from JSON', () => {
  fc.assert(
    fc.property(request, (resourceLogs) => {
      assert.deepEqual(
        parse(asProtobuf(resourceLogs), 'otlp-protobuf'),
        parse(asJson(resourceLogs), 'otlp-json'),
      );
    }),
    { seed: SEED, numRuns: 500 },
  );
});

test('random, changed and truncated bodies throw nothing but unreadable_body', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 });
  const outcomes = new Map<string, number>();
  const book = (code: string): void => {
    assert.match(code, /^(none|unreadable_body)$/);
    outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
  };
  fc.assert(
    fc.property(request, changes, fc.nat(), (resourceLogs, changes, cut) => {
      const body = asProtobuf(resourceLogs);
      const mutated = Buffer.from(body);
      for (const [at, byte] of changes) if (body.length > 0) mutated[at % body.length] = byte;
      book(codeOf(mutated));
      book(codeOf(body.subarray(0, cut % (body.length + 1))));
      const text = asJson(resourceLogs);
      for (const [at, byte] of changes) text[at % text.length] = byte;
      book(codeOf(text, 'otlp-json'));
    }),
    { seed: SEED, numRuns: RUNS },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => book(codeOf(Buffer.from(bytes)))),
    { seed: SEED, numRuns: RUNS },
  );
  // Both happened often, so the property says something.
  assert.ok((outcomes.get('none') ?? 0) > RUNS / 10 && (outcomes.get('unreadable_body') ?? 0) > RUNS / 2);
});

test('every truncation of a valid body is refused, or gives the messages before the cut', () => {
  const body = asProtobuf([
    { resource: { attributes: attributes({ 'host.name': 'gw-1' }) }, logRecords: [logRecord()] },
    { logRecords: [logRecord()] },
  ]);
  const whole = Array.from({ length: body.length + 1 }, (_, cut) => cut).filter(
    (cut) => codeOf(body.subarray(0, cut)) === 'none',
  );
  // Nothing, the first ResourceLogs, both.
  assert.equal(whole.length, 3);
});

test('values nested a hundred thousand deep are skipped without recursion', () => {
  const depth = 100_000;
  // Each level is a list with the next in it; lengths are written from the inside out.
  let nested: Uint8Array = new BinaryWriter().tag(1, WireType.LengthDelimited).string('x').finish();
  const heads: Uint8Array[] = [];
  let length = nested.length;
  for (let level = 0; level < depth; level++) {
    const list = new BinaryWriter().tag(1, WireType.LengthDelimited).uint32(length).finish();
    const outer = new BinaryWriter()
      .tag(5, WireType.LengthDelimited)
      .uint32(length + list.length)
      .finish();
    heads.push(list, outer);
    length += list.length + outer.length;
  }
  nested = Buffer.concat([...heads.toReversed(), nested]);
  const attribute = new BinaryWriter().tag(1, WireType.LengthDelimited).string('im.code');
  attribute.tag(2, WireType.LengthDelimited).bytes(nested);
  const [value] = parse(within([...IN_RECORD, 6], attribute.finish()), 'otlp-protobuf');
  assert.deepEqual((value as { code: unknown }).code, {});
  const text = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${'{"arrayValue":'.repeat(depth)}{}${'}'.repeat(depth)}}]}]}]}`;
  assert.equal(codeOf(Buffer.from(text), 'otlp-json'), 'none');
  const groups = Buffer.alloc(depth, (9 << 3) | 3);
  assert.equal(codeOf(within(IN_RECORD, groups)), 'unreadable_body');
});

test('lengths beyond the enclosing message, endless varints and malformed tags are refused', () => {
  const huge = new BinaryWriter().tag(6, WireType.LengthDelimited).uint32(0xffff_fff0).finish();
  const neighbour = new BinaryWriter().tag(1, WireType.LengthDelimited).uint32(40).finish();
  for (const bad of [
    huge,
    neighbour,
    Buffer.alloc(30, 0xff),
    Buffer.from([0]),
    Buffer.from([(2 << 3) | 6]),
    Buffer.from([(2 << 3) | 4]),
    // A time of four bytes, a number that goes on in the next message.
    Buffer.from([(1 << 3) | 1, 1, 2, 3, 4]),
    Buffer.from([2 << 3, 0x80]),
  ]) {
    const followed = Buffer.concat([within(IN_RECORD, bad), Buffer.alloc(64, 10)]);
    assert.equal(codeOf(followed), 'unreadable_body', Buffer.from(bad).toString('hex'));
    assert.equal(codeOf(within(IN_RECORD, bad)), 'unreadable_body', Buffer.from(bad).toString('hex'));
  }
});

test('known fields of another wire type are ignored as unknown ones', () => {
  const odd = new BinaryWriter().tag(1, WireType.Varint).uint32(7).tag(6, WireType.Bit32).fixed32(7);
  odd.tag(9, WireType.LengthDelimited).bytes(Buffer.alloc(3, 1));
  const [value] = parse(within(IN_RECORD, odd.finish()), 'otlp-protobuf');
  const { time, request_id: id } = value as { time: unknown; request_id: unknown };
  assert.deepEqual([time, id], [undefined, undefined]);
});

test('records beyond the bound are refused as too large, empty ones of two bytes too', () => {
  const records = Buffer.alloc(2 * (RECORDS_MAX + 1));
  for (let at = 0; at < records.length; at += 2) records[at] = (2 << 3) | 2;
  assert.equal(codeOf(within([1, 2], records)), 'body_too_large');
  assert.equal(codeOf(within([1, 2], records.subarray(2))), 'none');
  const json = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${'{},'.repeat(RECORDS_MAX)}{}]}]}]}`;
  assert.equal(codeOf(Buffer.from(json), 'otlp-json'), 'body_too_large');
  const brackets = `{"resourceLogs":[],"x":[${'[],'.repeat(400_000)}[]]}`;
  assert.equal(codeOf(Buffer.from(brackets), 'otlp-json'), 'body_too_large');
});

test('a record keeps nothing of a hundred thousand unmapped attributes', () => {
  const writer = new BinaryWriter();
  for (let n = 0; n < 100_000; n++) {
    const one = new BinaryWriter().tag(1, WireType.LengthDelimited).string(`im.stray-${n}`);
    one.tag(2, WireType.LengthDelimited).bytes(bytesOf(any('x')));
    writer.tag(6, WireType.LengthDelimited).bytes(one.finish());
  }
  const [value] = parse(within(IN_RECORD, writer.finish()), 'otlp-protobuf');
  const strays = Object.keys(value as object).filter((field) => field.startsWith('im.'));
  assert.deepEqual(strays, ['im.stray-0']);
});

test('a request without records gives none; JSON of another shape is refused with the name of the field', () => {
  assert.deepEqual(parse(Buffer.alloc(0), 'otlp-protobuf'), []);
  assert.deepEqual(parse(Buffer.from('{}'), 'otlp-json'), []);
  assert.deepEqual(parse(Buffer.from('{"resourceLogs":null,"later":1}'), 'otlp-json'), []);
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['', /empty/],
    ['[]', /the body is an array/],
    ['{"resourceLogs":{}}', /resourceLogs is an object: give an array/],
    ['{"resourceLogs":[1]}', /an element of resourceLogs is 1/],
    ['{"resourceLogs":[{"resource":5}]}', /resource is 5/],
    [
      '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[{"key":5}]}]}]}]}',
      /key of an attribute is 5/,
    ],
    ['{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":"text"}]}]}]}', /body is "text": give an object/],
  ];
  for (const [text, message] of wrong) {
    assert.throws(() => parse(Buffer.from(text), 'otlp-json'), { message });
  }
});

function bytesOf(value: Any): Uint8Array {
  const writer = new BinaryWriter();
  writeAny(writer, value);
  return writer.finish();
}
