/*
 * What a person typed into a field, and the value it stands for: checked against the contract's bounds as it is typed. Pure.
 */
import type { DescribedSchema } from '@imscope/schemas/registry-api/allowed-values.js';
import { registryTexts } from '../../words/registry-texts.js';
import { columnsOf, isNullable, kindOf, withoutNull } from './field-schema.js';

/** Text of a field, the state of a box, or rows of those by column. */
export type Input = string | boolean | readonly InputRow[];
export type InputRow = Readonly<Record<string, string | boolean>>;

export type Parsed =
  | { readonly ok: true; readonly value: unknown }
  /** `row` and `column`: where in a list. */
  | { readonly ok: false; readonly fault: string; readonly row?: number; readonly column?: string };

const words = registryTexts.fault;

/** The input that shows a value. */
export function inputOf(value: unknown, schema: DescribedSchema): Input {
  const kind = kindOf(schema);
  if (kind === 'boolean') return value === true;
  if (kind === 'lines') return listOf(value).map(String).join('\n');
  if (kind === 'codes') {
    return entriesOf(value)
      .map(([code, outcome]) => `${code} = ${String(outcome)}`)
      .join('\n');
  }
  if (kind === 'rows') return listOf(value).map((row) => rowInputOf(row, schema));
  return textOf(value);
}

/** An empty row of a list of objects. */
export function newRow(schema: DescribedSchema): InputRow {
  return rowInputOf({}, schema);
}

export function parseInput(input: Input, schema: DescribedSchema): Parsed {
  if (typeof input === 'boolean') return { ok: true, value: input };
  if (typeof input !== 'string') return parseRows(input, schema);
  const kind = kindOf(schema);
  if (kind === 'lines') return parseLines(input, schema);
  if (kind === 'codes') return parseCodes(input, schema);
  return kind === 'number' ? parseNumber(input, schema) : parseText(input, schema);
}

function parseText(input: string, given: DescribedSchema): Parsed {
  const schema = withoutNull(given);
  if (input === '' && isNullable(given)) return { ok: true, value: null };
  const fault = faultOfText(input, schema);
  return fault === undefined ? { ok: true, value: input } : { ok: false, fault };
}

function faultOfText(text: string, schema: DescribedSchema): string | undefined {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern, description = '' } = schema;
  if (schema.enum !== undefined) return schema.enum.includes(text) ? undefined : words.required;
  // As the registry counts: characters, not UTF-16 units.
  const length = Array.from(text).length;
  if (length === 0 && (minLength > 0 || (pattern !== undefined && !new RegExp(pattern, 'u').test(''))))
    return words.required;
  if (length < minLength) return words.tooShort(minLength);
  if (length > maxLength) return words.tooLong(length, maxLength);
  if (pattern === undefined || new RegExp(pattern, 'u').test(text)) return undefined;
  if (pattern.includes('\\u0000')) return words.control;
  return words.form(description === '' ? pattern : description);
}

function parseNumber(input: string, given: DescribedSchema): Parsed {
  const text = input.trim();
  const schema = withoutNull(given);
  if (text === '')
    return isNullable(given) ? { ok: true, value: null } : { ok: false, fault: words.required };
  const value = Number(text);
  const isWhole = schema.type === 'integer';
  const isNumber = isWhole ? /^-?\d{1,16}$/.test(text) : /^-?\d{1,16}(\.\d{1,12})?$/.test(text);
  if (isNumber && isWithin(value, schema)) return { ok: true, value };
  return { ok: false, fault: boundsText(schema) };
}

function isWithin(value: number, schema: DescribedSchema): boolean {
  const { minimum = -Infinity, maximum = Infinity } = schema;
  const { exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = schema;
  return value >= minimum && value <= maximum && value > exclusiveMinimum && value < exclusiveMaximum;
}

/** What a number may be; also shown beside the field. */
export function boundsText(given: DescribedSchema): string {
  const { type, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = withoutNull(given);
  if (exclusiveMinimum !== undefined && exclusiveMaximum !== undefined)
    return words.within(exclusiveMinimum, exclusiveMaximum);
  if (minimum === undefined || maximum === undefined) return words.number;
  return type === 'integer' ? words.wholeNumber(minimum, maximum) : words.between(minimum, maximum);
}

function parseLines(input: string, schema: DescribedSchema): Parsed {
  const lines = input
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  for (const [index, line] of lines.entries()) {
    const fault = faultOfText(line, schema.items ?? {});
    if (fault !== undefined) return { ok: false, fault: words.line(index + 1, fault) };
  }
  const fault = faultOfCount(lines.length, schema) ?? repeatedIn(lines, schema);
  return fault === undefined ? { ok: true, value: lines } : { ok: false, fault };
}

function faultOfCount(
  count: number,
  { minItems = 0, maxItems = Infinity }: DescribedSchema,
): string | undefined {
  if (count < minItems) return words.tooFew(minItems);
  return count > maxItems ? words.tooMany(count, maxItems) : undefined;
}

function repeatedIn(lines: readonly string[], { uniqueItems = false }: DescribedSchema): string | undefined {
  const twice = uniqueItems ? lines.find((line, index) => lines.indexOf(line) !== index) : undefined;
  return twice === undefined ? undefined : words.twice(twice);
}

function parseCodes(input: string, schema: DescribedSchema): Parsed {
  const [outcomes] = Object.values(schema.patternProperties ?? {}).map((one) => one.enum ?? []);
  const codes = new Map<string, string>();
  const lines = input.split('\n').filter((line) => line.trim() !== '');
  for (const [index, line] of lines.entries()) {
    const [, code, outcome = ''] = /^\s*(-?(?:0|[1-9]\d{0,9}))\s*[=:]\s*(\S+)\s*$/.exec(line) ?? [];
    const fault =
      code === undefined
        ? words.code
        : outcomes?.includes(outcome) === true
          ? codes.has(code)
            ? words.twice(code)
            : undefined
          : words.outcome((outcomes ?? []).join(', '));
    if (fault !== undefined || code === undefined)
      return { ok: false, fault: words.line(index + 1, fault ?? words.code) };
    codes.set(code, outcome);
  }
  return { ok: true, value: Object.fromEntries(codes) };
}

function parseRows(rows: readonly InputRow[], schema: DescribedSchema): Parsed {
  const columns = columnsOf(schema);
  const values: Record<string, unknown>[] = [];
  for (const [row, inputs] of rows.entries()) {
    const value: Record<string, unknown> = {};
    for (const { name, schema: column } of columns) {
      const parsed = parseInput(inputs[name] ?? '', column);
      if (!parsed.ok) return { ...parsed, row, column: name };
      value[name] = parsed.value;
    }
    values.push(value);
  }
  const fault = faultOfCount(values.length, schema) ?? repeatedRow(values);
  return fault === undefined ? { ok: true, value: values } : { ok: false, fault };
}

/** Rows are named by their first column, and each name is there once. */
function repeatedRow(values: readonly Record<string, unknown>[]): string | undefined {
  const names = values.map((value) => textOf(Object.values(value)[0]));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? undefined : words.twice(twice);
}

function rowInputOf(row: unknown, schema: DescribedSchema): InputRow {
  const values = new Map(entriesOf(row));
  return Object.fromEntries(
    columnsOf(schema).map(({ name, schema: column }) => {
      const value = values.get(name);
      const kind = kindOf(column);
      if (kind === 'boolean') return [name, value === true];
      if (kind === 'choice' && value === undefined) return [name, textOf(column.enum?.[0])];
      return [name, textOf(value)];
    }),
  );
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? value.toString() : '';
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}
