/*
 * Generates from a JSON schema the values that it allows, and values around its bounds and of other types. Supports the
 * keywords of our documents; any other keyword is an error, so that no constraint of a schema is ignored.
 */
import fc from 'fast-check';
import { HOSTILE_JSON_VALUES } from './hostile-values.js';
import type { JsonSchema } from './openapi-document.js';

type Resolve = (schema: JsonSchema) => JsonSchema;

const LIST_LENGTH_MAX = 4;
const TEXT_LENGTH_MAX = 60;
const ANNOTATIONS = new Set([
  'description',
  'components',
  'default',
  'contentMediaType',
  'example',
  'writeOnly',
  'readOnly',
]);
const KNOWN = new Set([
  'type',
  'enum',
  'const',
  'anyOf',
  'oneOf',
  'items',
  'properties',
  'required',
  'additionalProperties',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'pattern',
  'format',
  'minItems',
  'maxItems',
  'uniqueItems',
  'contentSchema',
  'patternProperties',
  'minProperties',
  'maxProperties',
]);

/** Values that the schema allows; short ones if it has no bound. */
export function allowedValues(schema: JsonSchema, resolve: Resolve): fc.Arbitrary<unknown> {
  const of = resolve(schema);
  const stray = Object.keys(of).find((keyword) => !KNOWN.has(keyword) && !ANNOTATIONS.has(keyword));
  if (stray !== undefined) throw new Error(`the keyword ${stray} of a schema is not known here: add it`);
  const union = listOf(of['anyOf']) ?? listOf(of['oneOf']);
  if (union !== undefined) return fc.oneof(...union.map((member) => allowedValues(member, resolve)));
  if (Array.isArray(of['enum'])) return fc.constantFrom<unknown>(...of['enum']);
  if ('const' in of) return fc.constant(of['const']);
  switch (of['type']) {
    case 'string':
      return texts(of, resolve);
    case 'integer':
      return integers(of);
    case 'number':
      return fc.double({
        min: numberOf(of, 'minimum', -1e15),
        max: numberOf(of, 'maximum', 1e15),
        noNaN: true,
      });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return lists(of, resolve);
    case 'object':
      return objects(of, resolve);
    default:
      return fc.jsonValue();
  }
}

/** Values on both sides of a schema's bounds, of other types, and hostile ones. */
export function doubtfulValues(schema: JsonSchema, resolve: Resolve): fc.Arbitrary<unknown> {
  const of = resolve(schema);
  const bounds = ['minimum', 'maximum'].flatMap((name) => {
    const bound = of[name];
    return typeof bound === 'number' ? [bound - 1, bound, bound + 1, bound + 0.5] : [];
  });
  const lengths = ['minLength', 'maxLength'].flatMap((name) => {
    const length = of[name];
    return typeof length === 'number' ? [length - 1, length, length + 1].filter((size) => size >= 0) : [];
  });
  const items = typeof of['maxItems'] === 'number' && of['maxItems'] < 100 ? of['maxItems'] : 0;
  const long = items === 0 ? [] : [Array.from({ length: items + 1 }, () => 'a')];
  const union = [...(listOf(of['anyOf']) ?? []), ...(listOf(of['items']) ?? [])];
  return fc.oneof(
    fc.constantFrom<unknown>(...bounds, ...lengths.map((length) => 'a'.repeat(length)), ...long, ''),
    fc.constantFrom<unknown>(...HOSTILE_JSON_VALUES),
    fc.jsonValue(),
    ...union.map((member) => doubtfulValues(member, resolve)),
  );
}

function listOf(value: unknown): JsonSchema[] | undefined {
  return Array.isArray(value) ? value.filter(isSchema) : undefined;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function numberOf(schema: JsonSchema, name: string, otherwise: number): number {
  const value = schema[name];
  return typeof value === 'number' ? value : otherwise;
}

function integers(schema: JsonSchema): fc.Arbitrary<number> {
  const min = numberOf(schema, 'minimum', Number.MIN_SAFE_INTEGER);
  const max = numberOf(schema, 'maximum', Number.MAX_SAFE_INTEGER);
  return fc.oneof(fc.constantFrom(min, max), fc.integer({ min, max }));
}

function texts(schema: JsonSchema, resolve: Resolve): fc.Arbitrary<unknown> {
  const minLength = numberOf(schema, 'minLength', 0);
  const maxLength = numberOf(schema, 'maxLength', TEXT_LENGTH_MAX);
  const { format, pattern, contentSchema } = schema;
  if (isSchema(contentSchema)) {
    const lines = fc.array(allowedValues(contentSchema, resolve), { maxLength: LIST_LENGTH_MAX });
    return lines.map((values) => values.map((value) => `${JSON.stringify(value)}\n`).join(''));
  }
  if (format === 'ipv4') return fc.ipV4();
  if (format === 'ipv6') return fc.ipV6();
  if (format === 'date-time') return recentTimes();
  if (typeof pattern === 'string') {
    return fc
      .stringMatching(new RegExp(pattern), { maxLength: Math.min(maxLength, TEXT_LENGTH_MAX) })
      .filter((text) => text.length >= minLength);
  }
  const short = fc.string({
    minLength,
    maxLength: Math.min(maxLength, minLength + TEXT_LENGTH_MAX),
    unit: 'grapheme',
  });
  return short.filter((text) => text.length <= maxLength);
}

/** Times of the last day, so that records with them are accepted. */
function recentTimes(): fc.Arbitrary<string> {
  const nowMs = Date.now();
  const times = fc.integer({ min: nowMs - 20 * 3_600_000, max: nowMs });
  return times.map((timeMs) => new Date(timeMs).toISOString());
}

function lists(schema: JsonSchema, resolve: Resolve): fc.Arbitrary<unknown> {
  const minLength = numberOf(schema, 'minItems', 0);
  const maxLength = Math.min(numberOf(schema, 'maxItems', LIST_LENGTH_MAX), minLength + LIST_LENGTH_MAX);
  const items = isSchema(schema['items']) ? allowedValues(schema['items'], resolve) : fc.jsonValue();
  if (schema['uniqueItems'] === true) {
    return fc.uniqueArray(items, { minLength, maxLength, selector: (item) => JSON.stringify(item) });
  }
  return fc.array(items, { minLength, maxLength });
}

function objects(schema: JsonSchema, resolve: Resolve): fc.Arbitrary<unknown> {
  const properties = isSchema(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'].map(String) : [];
  const model = Object.fromEntries(
    Object.entries(properties).flatMap(([name, property]) =>
      isSchema(property) ? [[name, allowedValues(property, resolve)]] : [],
    ),
  );
  const known = fc.record(model, { requiredKeys: required });
  const patterns = isSchema(schema['patternProperties']) ? Object.entries(schema['patternProperties']) : [];
  if (patterns.length === 0) return known;
  const named = patterns.flatMap(([pattern, property]) =>
    isSchema(property) ? [members(pattern, property, schema, resolve)] : [],
  );
  return fc.tuple(known, ...named).map((parts): unknown => Object.assign({}, ...parts));
}

/** Members whose names match a pattern. */
function members(
  pattern: string,
  property: JsonSchema,
  schema: JsonSchema,
  resolve: Resolve,
): fc.Arbitrary<object> {
  const minKeys = numberOf(schema, 'minProperties', 0);
  const maxKeys = Math.min(numberOf(schema, 'maxProperties', LIST_LENGTH_MAX), minKeys + LIST_LENGTH_MAX);
  const names = fc.stringMatching(new RegExp(pattern, 'u'), { maxLength: TEXT_LENGTH_MAX });
  return fc.dictionary(names, allowedValues(property, resolve), { minKeys, maxKeys });
}
