/*
 * Options of a question out of the schemas of its parameters: names, help and checks. The service checks everything
 * again; what is checked here names the option and sends nothing.
 */
import { PERSONAL_FILTER_NAMES } from '@imscope/schemas/query-api/personal-filters.js';
import { InvalidArgumentError, Option } from 'commander';
import { IsArray, IsBoolean, IsEnum, IsInteger, IsNumber, IsObject, IsUnion, type TSchema } from 'typebox';
import { Value } from 'typebox/value';

/** By the name of the parameter. */
export type ParameterValues = Readonly<Record<string, unknown>>;

/** One option for each parameter of any form. */
export function parameterOptions(
  schemas: Readonly<Record<string, TSchema>>,
  isRequired: (name: string) => boolean,
): Option[] {
  return Object.entries(schemas).map(([name, schema]) =>
    optionOf(name, schema).makeOptionMandatory(isRequired(name)),
  );
}

/** The values that were given, by the names of parameters. */
export function givenParameters(
  names: readonly string[],
  options: Readonly<Record<string, unknown>>,
): ParameterValues {
  const values = names.map((name) => [name, options[camelCase(name)]] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

/** What is wrong with the first wrong value, for people; undefined: nothing. */
export function parameterFault(schema: TSchema, values: ParameterValues): string | undefined {
  const [first] = Value.Errors(schema, values);
  if (first === undefined) return undefined;
  const [name = '', index] = first.instancePath.slice(1).split('/');
  if (name === '') return `the parameters ${first.message}`;
  const value = values[name];
  const shown = Array.isArray(value) && index !== undefined ? value[Number(index)] : value;
  const of = IsObject(schema) ? schema.properties[name] : undefined;
  const allowed = of === undefined ? '' : descriptionOf(of);
  return `${optionName(name)} is ${JSON.stringify(shown)}: ${first.message}${allowed === '' ? '' : `; give ${allowed}`}`;
}

export function optionName(parameter: string): string {
  return `--${parameter.replaceAll('_', '-')}`;
}

function optionOf(name: string, schema: TSchema): Option {
  const flag = optionName(name);
  const description = descriptionOf(schema);
  if (PERSONAL_FILTER_NAMES.includes(name)) {
    return new Option(
      `${flag} <->`,
      `${description}; "-" reads them from the input, never from a command line`,
    );
  }
  if (IsBoolean(schema)) return new Option(flag, description);
  const option = new Option(`${flag} <${valueName(schema)}>`, description);
  if (IsArray(schema)) return option.argParser(collect(schema.items));
  return option.argParser((text: string) => checked(schema, valueOf(schema, text)));
}

/** An option that is given more than once has all of its values. */
function collect(items: TSchema) {
  return (text: string, before: unknown): unknown[] => [
    ...(Array.isArray(before) ? before : []),
    checked(items, valueOf(items, text)),
  ];
}

function valueOf(schema: TSchema, text: string): unknown {
  if (!isNumeric(schema)) return text;
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function checked(schema: TSchema, value: unknown): unknown {
  const [first] = Value.Errors(schema, value);
  if (first === undefined) return value;
  const allowed = IsEnum(schema) ? `one of ${schema.enum.join(', ')}` : descriptionOf(schema);
  throw new InvalidArgumentError(allowed === '' ? `It ${first.message}.` : `Give ${allowed}.`);
}

function descriptionOf(schema: TSchema): string {
  const own = 'description' in schema && typeof schema.description === 'string' ? schema.description : '';
  const inner = IsArray(schema) ? descriptionOf(schema.items) : '';
  const values = IsEnum(schema) ? schema.enum.join(', ') : isNumeric(schema) ? boundsOf(schema) : '';
  return [own, own === inner ? '' : inner, values].filter((part) => part !== '').join('; ');
}

function boundsOf(schema: TSchema): string {
  const { minimum, maximum } = { minimum: undefined, maximum: undefined, ...schema };
  if (minimum === undefined || maximum === undefined) return '';
  return `${String(minimum)} to ${String(maximum)}`;
}

function valueName(schema: TSchema): string {
  if (IsArray(schema)) return valueName(schema.items);
  return isNumeric(schema) ? 'number' : 'value';
}

function isNumeric(schema: TSchema): boolean {
  return IsInteger(schema) || IsNumber(schema) || (IsUnion(schema) && schema.anyOf.every(isNumeric));
}

/** As commander names the value of an option. */
function camelCase(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
