/*
 * Columns of a table out of the schema of its rows: nested objects are flattened, and where the terminal is narrow the
 * columns that say least are left out. A person can name the columns instead.
 */
import { IsArray, IsInteger, IsNull, IsNumber, IsObject, IsString, IsUnion, type TSchema } from 'typebox';
import type { CellKind } from './cell-text.js';

export type Column = {
  /** Names of nested fields, joined by dots. */
  readonly path: string;
  readonly title: string;
  readonly kind: CellKind;
  /** Lower is kept longer. */
  readonly rank: number;
};

/** Objects whose name says nothing beside the names of their fields. */
const TRANSPARENT: ReadonlySet<string> = new Set(['group', 'outcomes', 'latency_ms']);

/** By the last name of the path, the most telling first; other numbers come between. */
const FIGURES = ['requests', 'success_rate', 'service_error', 'p95', 'code', 'count', 'share'];
const DETAILS = ['requests_per_s', 'p50', 'p99', 'avg', 'records', 'reason', 'outcome'];
/** What failed and why, right after the code: groups of one code differ by nothing else. */
const REASONS = ['exception', 'cause'];
const LESS = ['caller_error', 'unknown', 'success', 'p90', 'max', 'package', 'owner', 'links'];
/** Long texts are last: they take what is left of a line. */
const PROSE = ['cause', 'advice', 'meaning', 'message', 'description'];

/** All columns of rows of this schema. Not-object rows have one column, with an empty path. */
export function columnsOf(row: TSchema): Column[] {
  const schema = withoutNull(row);
  if (!IsObject(schema)) return [columnOf('', schema, 0)];
  return leavesOf(schema, '').map(([path, leaf], index) => columnOf(path, leaf, index));
}

/** Paths and schemas of all fields that are no objects. */
export function leavesOf(schema: TSchema, prefix: string): [path: string, schema: TSchema][] {
  if (!IsObject(schema)) return [];
  return Object.entries(schema.properties).flatMap(([name, property]) => {
    const of = withoutNull(property);
    return IsObject(of) ? leavesOf(of, `${prefix}${name}.`) : [[`${prefix}${name}`, of] as [string, TSchema]];
  });
}

/** The value at a path; undefined where there is none. */
export function valueAt(row: unknown, path: string): unknown {
  if (path === '') return row;
  return path.split('.').reduce<unknown>((value, name) => memberOf(value, name), row);
}

export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}

/** Of a union with null, and of several objects, what there is to show. */
export function withoutNull(schema: TSchema): TSchema {
  if (!IsUnion(schema)) return schema;
  const others = schema.anyOf.filter((one) => !IsNull(one));
  return others.find((one) => IsObject(one)) ?? others[0] ?? schema;
}

export function kindOf(schema: TSchema): CellKind {
  if (IsString(schema) && 'format' in schema && schema.format === 'date-time') return 'time';
  return IsInteger(schema) || IsNumber(schema) ? 'number' : 'text';
}

/** The names of the path without those that say nothing: `outcomes.success` is `success`. */
export function titleOf(path: string): string {
  const names = path.split('.');
  return names.filter((name, index) => index === names.length - 1 || !TRANSPARENT.has(name)).join('.');
}

function columnOf(path: string, schema: TSchema, index: number): Column {
  return { path, title: titleOf(path), kind: kindOf(schema), rank: rankOf(path, schema, index) };
}

function rankOf(path: string, schema: TSchema, index: number): number {
  const names = path.split('.');
  const name = names.at(-1) ?? '';
  const depth = names.filter((one) => !TRANSPARENT.has(one)).length - 1;
  const order = index / 1_000;
  if (REASONS.includes(name)) return 1.45 + 3 * depth + REASONS.indexOf(name) / 100;
  if (LESS.includes(name)) return 6 + depth + order;
  if (PROSE.includes(name)) return 5 + depth + order;
  if (FIGURES.includes(name)) return 1 + 3 * depth + FIGURES.indexOf(name) / 10;
  if (DETAILS.includes(name)) return 2 + 3 * depth + DETAILS.indexOf(name) / 20;
  if (IsArray(schema)) return 4 + depth + order;
  // The first fields of a row name it: an application, an interface, a time, a code.
  if (index === 0) return 0;
  const isNaming = name === 'time' || (kindOf(schema) === 'text' && !name.endsWith('_id'));
  return (isNaming ? 1.9 : 3) + 3 * depth + order;
}

export function isProse({ path }: Column): boolean {
  return PROSE.includes(path.slice(path.lastIndexOf('.') + 1));
}
