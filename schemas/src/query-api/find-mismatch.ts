/*
 * Checks received JSON against the shape of an answer, and says where it differs. TypeBox's own check costs a browser
 * 14 kB of script and about a second for the largest answer, and its compiler needs `eval`, which the dashboard's
 * content security policy forbids. Knows the kinds of schemas that answers are made of.
 */
import {
  IsArray,
  IsBoolean,
  IsEnum,
  IsInteger,
  IsLiteral,
  IsNull,
  IsNumber,
  IsObject,
  IsOptional,
  IsRecord,
  IsString,
  IsUnion,
  IsUnknown,
  type Static,
  type TObject,
  type TRecord,
  type TSchema,
} from 'typebox';

/** Where the value first differs, such as `data/3/requests`; empty: the value itself; undefined: nowhere. */
export function findMismatch(schema: TSchema, value: unknown): string | undefined {
  if (IsObject(schema)) return mismatchInObject(schema, value);
  if (IsArray(schema)) {
    if (!Array.isArray(value)) return '';
    for (const [index, item] of value.entries()) {
      const found = findMismatch(schema.items, item);
      if (found !== undefined) return join(index, found);
    }
    return undefined;
  }
  if (IsRecord(schema)) return mismatchInRecord(schema, value);
  return hasScalarShape(schema, value) ? undefined : '';
}

/** @returns true where the value has the shape of the schema */
export function matches<S extends TSchema>(schema: S, value: unknown): value is Static<S> {
  return findMismatch(schema, value) === undefined;
}

/** Properties that the schema does not name are allowed: the sender may be newer. */
function mismatchInObject(schema: TObject, value: unknown): string | undefined {
  if (!isRecord(value)) return '';
  for (const name in schema.properties) {
    const property = schema.properties[name];
    if (property === undefined || (!(name in value) && IsOptional(property))) continue;
    const found = findMismatch(property, value[name]);
    if (found !== undefined) return join(name, found);
  }
  return undefined;
}

/** Of a name that no pattern matches any value is allowed. */
function mismatchInRecord(schema: TRecord, value: unknown): string | undefined {
  if (!isRecord(value)) return '';
  for (const [pattern, property] of Object.entries(schema.patternProperties)) {
    const expected = new RegExp(pattern, 'u');
    for (const [name, one] of Object.entries(value)) {
      const found = expected.test(name) ? findMismatch(property, one) : undefined;
      if (found !== undefined) return join(name, found);
    }
  }
  return undefined;
}

function hasScalarShape(schema: TSchema, value: unknown): boolean {
  if (IsString(schema)) return typeof value === 'string';
  if (IsInteger(schema)) return Number.isInteger(value) && !isBelowMinimum(schema, Number(value));
  if (IsNumber(schema)) return Number.isFinite(value);
  if (IsUnion(schema)) return schema.anyOf.some((one) => findMismatch(one, value) === undefined);
  if (IsBoolean(schema)) return typeof value === 'boolean';
  if (IsEnum(schema)) return schema.enum.some((one) => one === value);
  if (IsUnknown(schema)) return true;
  if (IsNull(schema)) return value === null;
  if (IsLiteral(schema)) return value === schema.const;
  throw new Error(`answers have no schema of this kind: ${JSON.stringify(schema)}`);
}

function isBelowMinimum(schema: TSchema, value: number): boolean {
  return 'minimum' in schema && value < Number(schema.minimum);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function join(name: string | number, rest: string): string {
  return rest === '' ? String(name) : `${name}/${rest}`;
}
