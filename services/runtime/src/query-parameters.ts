/*
 * Parameters as they stand in an address, read strictly: percent-encoded UTF-8, and numbers in plain decimal digits.
 * What two readers could read in two ways (`0x10`, `1e3`, `+5`, ` 7`, `007`, a stray `%`) is refused or stays text.
 */
import { HttpError } from './http-errors.js';

const SHOWN_LENGTH_MAX = 80;

/**
 * Names and values of the query of an address, in its order.
 * @throws `HttpError` invalid_parameter where something is no percent-encoded UTF-8, or holds NUL
 */
export function queryPairs(url: string): [name: string, value: string][] {
  const [, query = ''] = /^[^?#]*\?([^#]*)/.exec(url) ?? [];
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      const name = decode(at === -1 ? pair : pair.slice(0, at), 'the name of a parameter');
      return [name, at === -1 ? '' : decode(pair.slice(at + 1), shortened(name))];
    });
}

function decode(encoded: string, what: string): string {
  const text = decodedOf(encoded);
  if (text === undefined) {
    throw new HttpError(
      'invalid_parameter',
      `${what} is "${shortened(encoded)}", which is no percent-encoded UTF-8: write % as %25 and other characters by their bytes`,
    );
  }
  if (text.includes('\0')) {
    throw new HttpError('invalid_parameter', `${what} holds a NUL character: give text without`);
  }
  return text;
}

/** Undefined where the text is no percent-encoded UTF-8, or has bytes that addresses cannot have. */
function decodedOf(encoded: string): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(encoded)) return undefined;
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/** A whole number written in decimal digits alone; undefined for any other text, `-0` and leading zeros included. */
export function plainInteger(text: string): number | undefined {
  return /^(?:0|-?[1-9]\d{0,15})$/.test(text) ? Number(text) : undefined;
}

/** A number written in decimal digits with or without a fraction; undefined for any other text. */
export function plainDecimal(text: string): number | undefined {
  if (!/^-?(?:0|[1-9]\d{0,15})(?:\.\d{1,9})?$/.test(text)) return undefined;
  const value = Number(text);
  return Object.is(value, -0) ? undefined : value;
}

/** What is shown of a received value in a message. */
export function shortened(text: string): string {
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}…`;
}
