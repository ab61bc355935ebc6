/*
 * Reads protobuf messages by proto3's JSON mapping: a field's name is in camel case or as in the `.proto` file, null is an
 * absent field, and 64-bit numbers are strings or numbers.
 */
import { showValue } from '../../intake/reject-reasons.js';

export type Message = Readonly<Record<string, unknown>>;

/** JSON's null is an absent field. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** A field by either of its names. */
export function fieldOf(message: Message, camelCase: string, snakeCase: string): unknown {
  return message[camelCase] ?? message[snakeCase];
}

/** @throws Error if it is not an object */
export function messageOf(value: unknown, what: string): Message {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${what} is ${showValue(value)}: give an object`);
  }
  return value as Message;
}

/** The messages of a list that may be absent. @throws Error if it is not a list of objects */
export function messagesOf(list: unknown, name: string): readonly Message[] {
  if (!isGiven(list)) return [];
  if (!Array.isArray(list)) throw new Error(`${name} is ${showValue(list)}: give an array`);
  for (const item of list) messageOf(item, `an element of ${name}`);
  return list as Message[];
}

const NUMBER = /^-?\d{1,20}(?:\.\d+)?(?:[Ee][+-]?\d{1,3})?$/;
const NOT_FINITE: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

/** The number that a string of the mapping denotes; any other value as it is. */
export function numberOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return NUMBER.test(value) ? Number(value) : (NOT_FINITE.get(value) ?? value);
}

const NAMES_SHOWN_MAX = 8;

/** The names of a message, for an error message. */
export function namesOf(message: Message): string {
  const names = Object.keys(message);
  const shown = names.slice(0, NAMES_SHOWN_MAX).map((name) => showValue(name));
  return names.length > shown.length ? `${shown.join(', ')}, … (${names.length})` : shown.join(', ');
}
