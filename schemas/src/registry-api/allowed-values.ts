/* What a schema allows, in words for messages. Knows the kinds of schemas that states are made of. Pure. */

import { PLAIN_TEXT, WELL_FORMED_TEXT } from '../plain-text.js';

/** The part of a JSON schema that messages and forms read. */
export type DescribedSchema = {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly DescribedSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly items?: DescribedSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly maxProperties?: number;
  readonly properties?: Readonly<Record<string, DescribedSchema>>;
  readonly patternProperties?: Readonly<Record<string, DescribedSchema>>;
};

export function allowedValues(schema: DescribedSchema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(allowedValues).join(' or ');
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`;
  const describe = schema.type === undefined ? undefined : BY_TYPE.get(schema.type);
  return describe?.(schema) ?? schema.description ?? 'what the API describes';
}

const BY_TYPE: ReadonlyMap<string, (schema: DescribedSchema) => string> = new Map(
  Object.entries({
    integer: (schema) => `a whole number${bounds(schema)}`,
    number: (schema) => `a number${bounds(schema)}`,
    boolean: () => 'true or false',
    null: () => 'null',
    string: text,
    array: list,
    object,
  } satisfies Record<string, (schema: DescribedSchema) => string>),
);

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: DescribedSchema): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  const parts = [
    minimum === undefined ? '' : `of ${minimum} or more`,
    maximum === undefined ? '' : `of ${maximum} or less`,
    exclusiveMinimum === undefined ? '' : `above ${exclusiveMinimum}`,
    exclusiveMaximum === undefined ? '' : `below ${exclusiveMaximum}`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : ` ${parts.join(' and ')}`;
}

function text({ description, minLength = 0, maxLength, pattern }: DescribedSchema): string {
  const length = maxLength === undefined ? '' : ` of ${minLength} to ${maxLength} characters`;
  if (pattern === PLAIN_TEXT) return `text${length} without control characters`;
  // A description is easier to read than a pattern.
  if (pattern !== undefined && description !== undefined) return description;
  return pattern === undefined || pattern === WELL_FORMED_TEXT ? `text${length}` : `text like ${pattern}`;
}

function object({ properties, maxProperties, description }: DescribedSchema): string {
  const names = Object.keys(properties ?? {});
  if (names.length > 0) return `an object of ${names.join(', ')}`;
  const number = maxProperties === undefined ? '' : `up to ${maxProperties} `;
  return `an object of ${number}${description ?? 'members'}`;
}

function list({ items, minItems = 0, maxItems, uniqueItems, description }: DescribedSchema): string {
  const number = maxItems === undefined ? '' : ` of ${minItems} to ${maxItems}`;
  const different = uniqueItems === true ? ' different' : '';
  const what = description ?? (items?.type === 'object' ? 'objects' : 'values');
  return `a list${number}${different} ${what}`;
}
