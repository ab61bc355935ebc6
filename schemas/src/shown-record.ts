/*
 * A request log as answers and taps show it: durations in milliseconds, the address masked, the time as text. A schema
 * for every field of the table, under the name that gateways send it by.
 */
import { type TInteger, type TNull, type TNumber, type TString, type TUnion, Type } from 'typebox';
import { OUTCOMES } from './outcome.js';
import {
  type REQUEST_LOG_FIELDS,
  type RequestLogField,
  STORED_FIELDS,
  type StoredFieldName,
} from './request-log-fields.js';

// One by one: the static type of a union made from the array would be never.
export const OutcomeName = Type.Union([
  Type.Literal(OUTCOMES[0]),
  Type.Literal(OUTCOMES[1]),
  Type.Literal(OUTCOMES[2]),
  Type.Literal(OUTCOMES[3]),
]);

type ShownNumber<F extends RequestLogField> = F['type'] extends 'duration' ? TNumber : TInteger;
type ShownSchema<F extends RequestLogField> = F['type'] extends 'outcome'
  ? typeof OutcomeName
  : F['type'] extends 'time' | 'text' | 'address'
    ? TString
    : F['nullable'] extends true
      ? TUnion<[ShownNumber<F>, TNull]>
      : ShownNumber<F>;

type Table = typeof REQUEST_LOG_FIELDS;
type ShownName<K extends StoredFieldName> = Table[K]['sentAs'] extends string ? Table[K]['sentAs'] : K;
type ShownFields = { readonly [K in StoredFieldName as ShownName<K>]: ShownSchema<Table[K]> };

function shownSchema({ type, nullable }: RequestLogField) {
  if (type === 'outcome') return OutcomeName;
  if (type === 'time' || type === 'text' || type === 'address') return Type.String();
  const number = type === 'duration' ? Type.Number() : Type.Integer();
  return nullable ? Type.Union([number, Type.Null()]) : number;
}

export const SHOWN_FIELDS = Object.fromEntries(
  STORED_FIELDS.map((field) => [field.sentAs ?? field.name, shownSchema(field)]),
) as ShownFields;
