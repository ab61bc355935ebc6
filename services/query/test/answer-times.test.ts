import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Time } from '@imscope/schemas/query-api/values.js';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { createEpochTimes, withEitherTimes } from '../src/http/answer-times.js';

const TEXT = '2026-11-23T10:00:00.123Z';
const MS = Date.UTC(2026, 10, 23, 10, 0, 0, 123);

const Shapes = Type.Object({
  time: Time,
  optional: Type.Optional(Time),
  nullable: Type.Union([Time, Type.Null()]),
  list: Type.Array(Type.Object({ seen: Time, name: Type.String() })),
  byName: Type.Record(Type.String(), Time),
  either: Type.Union([
    Type.Object({ kind: Type.Literal('a'), at: Time }),
    Type.Object({ at: Type.String() }),
  ]),
  name: Type.String(),
});

test('all times of an answer become epoch milliseconds, wherever they are, and nothing else does', () => {
  const given = {
    time: TEXT,
    nullable: null,
    list: [{ seen: TEXT, name: TEXT }],
    byName: { a: TEXT },
    either: { at: TEXT },
    name: TEXT,
    unknown: TEXT,
  };
  const copy = structuredClone(given);
  const converted = createEpochTimes(Shapes)(given);
  assert.deepEqual(converted, {
    ...given,
    time: MS,
    list: [{ seen: MS, name: TEXT }],
    byName: { a: MS },
  });
  assert.deepEqual(given, copy);
  const others = { ...given, optional: TEXT, nullable: TEXT, either: { kind: 'a', at: TEXT } };
  assert.deepEqual(createEpochTimes(Shapes)(others), {
    ...others,
    time: MS,
    optional: MS,
    nullable: MS,
    list: [{ seen: MS, name: TEXT }],
    byName: { a: MS },
    either: { kind: 'a', at: MS },
  });
});

test('the described schema allows times as text and as numbers, and no text that is no time', () => {
  const described = withEitherTimes(Type.Object({ points: Type.Array(Type.Object({ at: Time })) }));
  for (const at of [TEXT, MS]) assert.ok(Value.Check(described, { points: [{ at }] }), String(at));
  for (const at of ['yesterday', null, 0.5]) {
    assert.ok(!Value.Check(described, { points: [{ at }] }), String(at));
  }
});
