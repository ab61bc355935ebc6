/*
 * Strict reading of query parameters: percent-encoded UTF-8, and numbers in plain decimal digits. Text that two
 * readers could understand differently (`0x10`, `1e3`, `+5`, ` 7`, `007`, a single `%`) is refused or stays text.
 */
import { HttpError } from './http-errors.js';

const SHOWN_LENGTH_MAX = 80;

/**
 * Names and values of the query of a URL, in its order.
 * @throws `HttpError` invalid_parameter where a part is not percent-encoded UTF-8, or contains NUL
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

/** Undefined where the text is not percent-encoded UTF-8, or has bytes that a URL cannot contain. */
function decodedOf(encoded: string): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(encoded)) return undefined;
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/** A whole number in decimal digits; undefined for any other text, such as `-0` or leading zeros. */
export function plainInteger(text: string): number | undefined {
  return /^(?:0|-?[1-9]\d{0,15})$/.test(text) ? Number(text) : undefined;
}

/** A number in decimal digits with or without a fraction; undefined for any other text. */
export function plainDecimal(text: string): number | undefined {
  if (!/^-?(?:0|[1-9]\d{0,15})(?:\.\d{1,9})?$/.test(text)) return undefined;
  const value = Number(text);
  return Object.is(value, -0) ? undefined : value;
}

/** A received value as a message shows it. */
export function shortened(text: string): string {
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}…`;
}
