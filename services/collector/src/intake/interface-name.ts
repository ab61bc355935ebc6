/*
 * The name of an interface as it is stored: `<service>/<command>`, such as `openim/sendmsg`. This is the one
 * place where a path becomes a name: ids and numbers in it become `{id}`, so that names stay few and say nothing
 * about a person or a group.
 */
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { isRandomLooking } from './random-looking.js';
import { Rejection, showValue } from './reject-reasons.js';

/** `{id}` is what a source that takes ids out of paths by itself puts in their place. */
const NAME = /^(?:[A-Za-z0-9_.-]+|\{id\})(?:\/(?:[A-Za-z0-9_.-]+|\{id\}))*$/;
const VERSION_PREFIX = '/v4/';
/** Longest path that is looked into for ids; a name may be `interfaceLengthMax` long once they are out. */
const PATH_LENGTH_MAX = 1_024;
/** A segment without one of these is a word: numbers and hex have digits, base64 has upper case. */
const MAY_HOLD_ID = /[\dA-Z]/;
/** `@TGS#…` and escaped characters, which no name may have, occur in ids alone. */
const MARKED_ID = /[@#%]/;
const RANDOM_LENGTH_MIN = 16;

/**
 * Paths whose name is known: there are few, and finding one takes a tenth of the time. Cleared when full, which
 * paths with ids would do, so those are not kept; at most 2 MB.
 */
const knownNames = new Map<string, string>();
const KNOWN_NAMES_MAX = 10_000;
const KNOWN_LENGTH_MAX = 128;

/** The stored name: a leading `/v4/` or `/` is taken off, segments that are ids become `{id}`, the rest stays. */
export function interfaceName(text: string, onIdTaken?: () => void): string | Rejection {
  const known = knownNames.get(text);
  if (known !== undefined) return known;
  const start = text.startsWith(VERSION_PREFIX) ? VERSION_PREFIX.length : text.startsWith('/') ? 1 : 0;
  const path = start === 0 ? text : text.slice(start);
  if (path.length > PATH_LENGTH_MAX) return tooLong(path);
  const name = MAY_HOLD_ID.test(path) || MARKED_ID.test(path) ? withoutIds(path) : path;
  if (name.length > REQUEST_LOG_BOUNDS.interfaceLengthMax) return tooLong(name);
  if (!NAME.test(name)) {
    return new Rejection(
      'invalid_interface',
      `interface is ${showValue(text)}: give words of letters, digits, "_", "." and "-", or {id}, with "/" between, such as openim/sendmsg`,
      'interface',
    );
  }
  if (name !== path) onIdTaken?.();
  else remember(text, name);
  return name;
}

function remember(text: string, name: string): void {
  if (text.length > KNOWN_LENGTH_MAX) return;
  if (knownNames.size >= KNOWN_NAMES_MAX) knownNames.clear();
  knownNames.set(text, name);
}

function tooLong(name: string): Rejection {
  return new Rejection(
    'too_long',
    `interface has ${name.length} characters: at most ${REQUEST_LOG_BOUNDS.interfaceLengthMax} are taken`,
    'interface',
  );
}

function withoutIds(path: string): string {
  return path
    .split('/')
    .map((segment) => (isId(segment) ? '{id}' : segment))
    .join('/');
}

function isId(segment: string): boolean {
  if (/^[\w.@#%+=-]+$/.test(segment) && MARKED_ID.test(segment)) return true;
  if (/^\d+$/.test(segment) || /\d{5}/.test(segment)) return true;
  if (/^[\da-f-]{8,}$/i.test(segment) && (segment.match(/\d/g)?.length ?? 0) >= 3) return true;
  return segment.length >= RANDOM_LENGTH_MIN && isRandomLooking(segment);
}
