/*
 * Tells whether a value is valid for a field of a record, by the readers that `validateRecord` uses. OTLP has several
 * attributes for one field: the first one with a valid value is used, so that an empty or malformed attribute does not hide
 * a good one.
 */
import { FIELD_ROWS } from '@imscope/schemas/raw-fields.js';
import type { RequestLogField } from '@imscope/schemas/request-log-fields.js';
import { isRejection } from './reject-reasons.js';
import * as read from './validate-record.js';

type Reader = (value: unknown) => unknown;

const READERS: readonly Reader[] = FIELD_ROWS.map(createReader);

function createReader(field: RequestLogField & { readonly name: string }): Reader {
  const { name, type, min = 0, max = 0, lengthMax = 0 } = field;
  const sentAs = field.sentAs ?? name;
  if (name === 'interface') return (value) => read.readInterface(value);
  // 0 means that the status is unknown.
  if (name === 'http_status') return (value) => read.readHttpStatus(value) || undefined;
  if (type === 'address') return (value) => read.readAddress(value);
  if (type === 'duration') return (value) => read.readDuration(sentAs, value);
  if (type === 'text') return (value) => read.readText(sentAs, value, lengthMax);
  return (value) => read.readWhole(sentAs, value, min, max);
}

/** @param fieldIndex of the field in `FIELDS` */
export function isValidFieldValue(fieldIndex: number, value: unknown): boolean {
  const reader = READERS[fieldIndex];
  if (reader === undefined || value === undefined || value === null || value === '') return false;
  const result = reader(value);
  return result !== undefined && !isRejection(result);
}
