import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IsArray, IsEnum, IsLiteral, IsObject, IsString, IsUnion, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { ErrorAnswer } from '../src/query-api/envelope.js';
import { findMismatch } from '../src/query-api/find-mismatch.js';
import { answerSchema, QUESTIONS } from '../src/query-api/questions.js';
import { Session } from '../src/query-api/session.js';
import { OPERATIONS } from '../src/registry-api/operations.js';

const OPERATION_ANSWERS: readonly TSchema[] = Object.values(OPERATIONS).map(({ answer }) => answer);
const SCHEMAS: readonly TSchema[] = [...Object.values(QUESTIONS).map(answerSchema), Session, ErrorAnswer];

/** Values of a schema's shape, mixed with others. */
function nearlyOf(schema: TSchema): fc.Arbitrary<unknown> {
  const right = (): fc.Arbitrary<unknown> => {
    if (IsObject(schema)) {
      const entries = Object.entries(schema.properties).map(([name, one]) => [name, nearlyOf(one)] as const);
      return fc.record(Object.fromEntries(entries));
    }
    if (IsArray(schema)) return fc.array(nearlyOf(schema.items), { maxLength: 2 });
    if (IsUnion(schema)) return fc.oneof(...schema.anyOf.map(nearlyOf));
    if (IsLiteral(schema)) return fc.constant(schema.const);
    if (IsEnum(schema)) return fc.constantFrom(...schema.enum);
    return fc.oneof(fc.nat(), fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }));
  };
  return fc.oneof({ weight: 40, arbitrary: right() }, { weight: 1, arbitrary: fc.jsonValue() });
}

test('agrees with the library’s own check, for every answer and for values that differ a little from one', () => {
  for (const schema of SCHEMAS) {
    fc.assert(
      fc.property(nearlyOf(schema), (value) => {
        const received: unknown = JSON.parse(JSON.stringify(value));
        assert.equal(findMismatch(schema, received) === undefined, Value.Check(schema, received));
      }),
      { numRuns: 100 },
    );
  }
});

/** Of each format and pattern in answers one text: the library generates none. */
const TEXTS = ['2024-01-02T03:04:05.678Z', '0123456789abcdef', ''];

/** The schema with all its members required, and with a default for texts that have a format or a pattern. */
function withTexts(schema: TSchema): TSchema {
  if (IsObject(schema)) {
    const properties = Object.entries(schema.properties).map(([name, one]) => [name, withTexts(one)]);
    return Type.Object(Object.fromEntries(properties));
  }
  if (IsUnion(schema)) return Type.Union(schema.anyOf.map(withTexts));
  if (!IsString(schema) || !('format' in schema || 'pattern' in schema)) return schema;
  return Type.String({ default: TEXTS.find((text) => Value.Check(schema, text)) });
}

test('a value that the library generates for a schema has its shape', () => {
  for (const schema of SCHEMAS)
    assert.equal(findMismatch(schema, Value.Create(withTexts(schema))), undefined);
});

test('knows every kind of schema that answers of the registry are made of', () => {
  for (const schema of OPERATION_ANSWERS) {
    fc.assert(
      fc.property(nearlyOf(schema), (value) => {
        findMismatch(schema, value);
      }),
    );
  }
});

test('names and booleans, lists of values and maps are checked', () => {
  const map = Type.Record(Type.String({ pattern: '^\\d+$' }), Type.Enum(['a', 'b']));
  const schema = Type.Object({ on: Type.Boolean(), map, any: Type.Unknown() });
  assert.equal(findMismatch(schema, { on: true, map: { 1: 'a', x: 7 }, any: null }), undefined);
  assert.equal(findMismatch(schema, { on: 1, map: {}, any: 0 }), 'on');
  assert.equal(findMismatch(schema, { on: false, map: { 1: 'c' }, any: 0 }), 'map/1');
  assert.equal(findMismatch(schema, { on: false, map: [], any: 0 }), 'map');
});

test('names the place of the first difference', () => {
  const schema = Type.Object({ rows: Type.Array(Type.Object({ count: Type.Integer({ minimum: 0 }) })) });
  assert.equal(findMismatch(schema, { rows: [{ count: 1 }, { count: 0.5 }] }), 'rows/1/count');
  assert.equal(findMismatch(schema, { rows: [{}] }), 'rows/0/count');
  assert.equal(findMismatch(schema, { rows: {} }), 'rows');
  assert.equal(findMismatch(schema, []), '');
});

test('a kind of schema that it does not know is a fault, not a pass', () => {
  assert.throws(() => findMismatch(Type.BigInt(), 1n), /no schema of this kind/);
});
