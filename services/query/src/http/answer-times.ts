/*
 * How the times of an answer are written. Questions answer RFC 3339; where the caller asks for `times=epoch_ms`, every
 * time of the schema becomes a number of milliseconds. No question does so itself.
 */
import { findMismatch } from '@imscope/schemas/query-api/find-mismatch.js';
import { ANSWER_PARAMETERS } from '@imscope/schemas/query-api/parameters.js';
import {
  IsArray,
  IsObject,
  IsRecord,
  IsString,
  IsUnion,
  type TObject,
  type TSchema,
  type TUnion,
  Type,
} from 'typebox';
import { Value } from 'typebox/value';

type Convert = (value: unknown) => unknown;

const Wants = Type.Object({ times: ANSWER_PARAMETERS.times });

/** @param query the checked parameters of a question */
export function wantsEpochMs(query: unknown): boolean {
  return Value.Check(Wants, query) && query.times === 'epoch_ms';
}

/** @returns a function that converts the times of values of this schema, which it does not change */
export function createEpochTimes(schema: TSchema): Convert {
  return converterOf(schema) ?? ((value) => value);
}

/** undefined: the schema has no times. */
function converterOf(schema: TSchema): Convert | undefined {
  if (isTime(schema)) return (value) => (typeof value === 'string' ? Date.parse(value) : value);
  if (IsArray(schema)) {
    const convert = converterOf(schema.items);
    return convert && ((value) => (Array.isArray(value) ? value.map(convert) : value));
  }
  if (IsUnion(schema)) return converterOfUnion(schema);
  if (IsObject(schema)) return converterOfObject(schema);
  if (IsRecord(schema)) {
    const [convert] = Object.values(schema.patternProperties).flatMap((one) => converterOf(one) ?? []);
    return convert && ((value) => (isObject(value) ? mapValues(value, convert) : value));
  }
  return undefined;
}

function converterOfUnion({ anyOf }: TUnion): Convert | undefined {
  const variants = anyOf.map((schema) => ({ schema, convert: converterOf(schema) }));
  if (variants.every(({ convert }) => convert === undefined)) return undefined;
  return (value) => {
    const found = variants.find(({ schema }) => findMismatch(schema, value) === undefined);
    return found?.convert === undefined ? value : found.convert(value);
  };
}

function converterOfObject({ properties }: TObject): Convert | undefined {
  const members = Object.entries(properties).flatMap(([name, schema]) => {
    const convert = converterOf(schema);
    return convert === undefined ? [] : [{ name, convert }];
  });
  if (members.length === 0) return undefined;
  return (value) => {
    if (!isObject(value)) return value;
    const converted = { ...value };
    for (const { name, convert } of members) if (name in value) converted[name] = convert(value[name]);
    return converted;
  };
}

const EPOCH_MS = { type: 'integer', description: 'with times=epoch_ms: milliseconds since 1970, UTC' };

/** The schema for the description of the API: each time is text or a number. */
export function withEitherTimes(schema: TSchema): TSchema {
  return Type.Unsafe(eitherTimes(schema));
}

function eitherTimes(schema: TSchema): TSchema {
  if (isTime(schema)) return { anyOf: [schema, EPOCH_MS] };
  if (IsArray(schema)) return { ...schema, items: eitherTimes(schema.items) };
  if (IsUnion(schema)) return { ...schema, anyOf: schema.anyOf.map(eitherTimes) };
  if (IsObject(schema)) return { ...schema, properties: mapValues(schema.properties, eitherTimes) };
  if (IsRecord(schema)) {
    return { ...schema, patternProperties: mapValues(schema.patternProperties, eitherTimes) };
  }
  return schema;
}

function isTime(schema: TSchema): boolean {
  return IsString(schema) && 'format' in schema && schema.format === 'date-time';
}

function mapValues<From, To>(
  of: Readonly<Record<string, From>>,
  map: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, map(value)]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
