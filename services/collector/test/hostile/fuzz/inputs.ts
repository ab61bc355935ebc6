/*
 * Inputs that parsers stumble over: ordinary ones cut, flipped, repeated and spliced, and texts put together from pieces
 * that mean something to somebody.
 */
import fc from 'fast-check';

type Mutation = (bytes: Buffer) => Buffer;

const place = fc.double({ min: 0, max: 1, noNaN: true });

function at(bytes: Buffer, share: number): number {
  return Math.floor(bytes.length * share);
}

const mutations: fc.Arbitrary<Mutation> = fc.oneof(
  place.map(
    (share): Mutation =>
      (bytes) =>
        bytes.subarray(0, at(bytes, share)),
  ),
  place.map(
    (share): Mutation =>
      (bytes) =>
        bytes.subarray(at(bytes, share)),
  ),
  fc.tuple(place, fc.integer({ min: 0, max: 255 })).map(([share, value]): Mutation => (bytes) => {
    const changed = Buffer.from(bytes);
    if (changed.length > 0) changed[Math.min(at(bytes, share), changed.length - 1)] = value;
    return changed;
  }),
  fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 12 })).map(
    ([share, more]): Mutation =>
      (bytes) =>
        Buffer.concat([bytes.subarray(0, at(bytes, share)), more, bytes.subarray(at(bytes, share))]),
  ),
  fc.tuple(place, place, fc.integer({ min: 2, max: 50 })).map(([a, b, times]): Mutation => (bytes) => {
    const [from, to] = [at(bytes, Math.min(a, b)), at(bytes, Math.max(a, b))];
    const repeated = Array.from({ length: times }, () => bytes.subarray(from, to));
    return Buffer.concat([bytes.subarray(0, from), ...repeated, bytes.subarray(to)]);
  }),
);

/** One of these, changed in up to four places. */
export function mutated(seeds: readonly Buffer[]): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom(...seeds), fc.array(mutations, { maxLength: 4 }))
    .map(([seed, changes]) => changes.reduce((bytes, change) => change(bytes), seed));
}

const PIECES = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\u0000',
  '\\ud800',
  '\0',
  '\n',
  '\r',
  ' ',
  '\uFEFF',
  '\uD800',
  'null',
  'true',
  '1e400',
  '-0',
  '1e-400',
  '9007199254740993',
  '99999999999999999999',
  '0x1',
  '"__proto__"',
  '"constructor"',
  '"time"',
  '"sdk_app_id"',
  '"cause"',
  '2024-05-06T07:08:09Z',
  '2024-02-30T25:61:61.',
  '+99:99',
  '1.2.3.4',
  '01.2.3.4',
  '::ffff:',
  'fe80::1%eth0',
  ':',
  '1:',
  '.',
  '/',
  '/v4/',
  '%40',
  '{id}',
  '@',
  '@TGS#',
  'a@b.c',
  'user=',
  'usersig=',
  'Bearer ',
  'token: ',
  '用户',
  '手机号',
  '13800138000',
  '+86 ',
  '://',
  '?',
  '&',
  '=',
  '<ip>',
  '<',
  '>',
  'a',
  'Z7',
  '1',
  'é',
  '\u{1F600}',
  '\u202E',
] as const;

/** Up to `lengthMax` pieces, some of them many times in a row. */
export function pieced(lengthMax: number): fc.Arbitrary<Buffer> {
  const piece = fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary', maxLength: 8 }));
  const run = fc.tuple(
    piece,
    fc.oneof({ weight: 6, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 400 })),
  );
  return fc
    .array(run, { maxLength: lengthMax })
    .map((runs) => Buffer.from(runs.map(([text, times]) => text.repeat(times)).join('')));
}
