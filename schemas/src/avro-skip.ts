/*
 * Skips one Avro value without building it, and checks every count and length against the bytes that remain. avsc
 * loops over an array's count before it checks that the bytes are there, so bytes from outside are checked here first.
 */
import avro from 'avsc';
import { decodeLong, longEnd } from './container.js';

const { types } = avro;

/** The position after the value of `type` that starts at `position`, or undefined where it is malformed. */
export function skipValue(type: avro.Type, bytes: Buffer, position: number): number | undefined {
  if (type instanceof types.LogicalType) return skipValue(type.underlyingType, bytes, position);
  if (type instanceof types.RecordType) {
    let next: number | undefined = position;
    for (const field of type.fields) {
      next = skipValue(field.type, bytes, next);
      if (next === undefined) return undefined;
    }
    return next;
  }
  if (type instanceof types.ArrayType) return skipItems(bytes, position, [type.itemsType]);
  if (type instanceof types.MapType) return skipItems(bytes, position, [STRING, type.valuesType]);
  if (type instanceof types.UnwrappedUnionType || type instanceof types.WrappedUnionType) {
    const branch = decodeLong(bytes, position);
    const chosen = branch === undefined ? undefined : type.types[branch.value];
    return branch === undefined || chosen === undefined ? undefined : skipValue(chosen, bytes, branch.next);
  }
  return skipScalar(type, bytes, position);
}

const STRING = avro.Type.forSchema('string');
/** Items without bytes would allow a loop of 2^51 rounds. Our schemas have none; more than this are refused. */
const EMPTY_ITEMS_MAX = 1_000_000;

function skipItems(bytes: Buffer, position: number, item: readonly avro.Type[]): number | undefined {
  let next = position;
  for (;;) {
    const count = decodeLong(bytes, next);
    if (count === undefined) return undefined;
    next = count.next;
    if (count.value === 0) return next;
    if (count.value < 0) {
      const size = decodeLong(bytes, next);
      if (size === undefined || size.value < 0) return undefined;
      next = size.next;
    }
    if (Math.abs(count.value) > Math.max(bytes.length - next, EMPTY_ITEMS_MAX)) return undefined;
    for (let index = 0; index < Math.abs(count.value); index++) {
      for (const part of item) {
        const end = skipValue(part, bytes, next);
        if (end === undefined) return undefined;
        next = end;
      }
    }
  }
}

function skipScalar(type: avro.Type, bytes: Buffer, position: number): number | undefined {
  const within = (end: number): number | undefined => (end <= bytes.length ? end : undefined);
  if (type instanceof types.NullType) return position;
  if (type instanceof types.BooleanType)
    return (bytes[position] ?? 2) <= 1 ? within(position + 1) : undefined;
  if (type instanceof types.FloatType) return within(position + 4);
  if (type instanceof types.DoubleType) return within(position + 8);
  if (type instanceof types.FixedType) return within(position + type.size);
  if (type instanceof types.LongType) return longEnd(bytes, position);
  const value = decodeLong(bytes, position);
  if (value === undefined) return undefined;
  if (type instanceof types.EnumType) return type.symbols[value.value] === undefined ? undefined : value.next;
  if (type instanceof types.IntType) return Math.abs(value.value) <= 2 ** 31 ? value.next : undefined;
  if (type instanceof types.StringType || type instanceof types.BytesType) {
    return value.value < 0 ? undefined : within(value.next + value.value);
  }
  throw new Error(`Avro type ${type.typeName} is not walked over yet: add it to skipValue`);
}
