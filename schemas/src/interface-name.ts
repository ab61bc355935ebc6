/*
 * The name of an interface as it is stored: `<service>/<command>`, such as `openim/sendmsg`. This is the one place where
 * a path becomes a name, for every source: records in JSON, Avro and OTLP, and lines of access logs. Ids
 * and numbers in a path become `{id}`, so that names stay few and say nothing about a person or a group.
 */
import { isIdSegment } from './id-segment.js';
import { REQUEST_LOG_BOUNDS } from './request-log.js';

/** What a name has in place of an id, a number or text that is no plain word. */
export const ID_PLACEHOLDER = '{id}';
/** The name of the path `/`. */
const ROOT = 'root';
const WORD_CHARACTERS = /^[\w.-]+$/;
const LETTER_OR_DIGIT = /[A-Za-z0-9]/;
/** What a name may have that is no path: plain words, and ids such as `@TGS#…` and mail addresses. */
const NAME_SEGMENT = /^(?:\{id\}|[\w.-]+|(?=.*[@#])[\w.@#+=-]+)$/;
/** Longest path that is read; nginx refuses a request line above 8 KiB. */
const PATH_LENGTH_MAX = 8_192;

/** Why a text is no interface. */
export class NameFault {
  readonly reason: 'invalid_interface' | 'too_long';
  /** Characters of what is too long. */
  readonly length: number;

  constructor(reason: NameFault['reason'], length: number) {
    this.reason = reason;
    this.length = length;
  }
}

/**
 * Names of texts without an id. There are few, and reading them here needs a tenth of the time. Cleared when full; at most 2 MB.
 */
const knownNames = new Map<string, string>();
const KNOWN_NAMES_MAX = 10_000;
const KNOWN_LENGTH_MAX = 128;

/**
 * A text that begins with a slash or has percent-encoding is a path: its query, `/v4/`, parameters after `;` and
 * superfluous slashes are dropped, and a segment that is an id or no plain word becomes `{id}`. Any other text is a name
 * already: it may have ids, but a segment that is neither a plain word nor an id makes it invalid. The name of a name
 * is the name itself.
 * @param onIdTaken called once where a segment became `{id}`
 */
export function interfaceName(text: string, onIdTaken?: () => void): string | NameFault {
  const known = knownNames.get(text);
  if (known !== undefined) return known;
  if (text.length > PATH_LENGTH_MAX) return new NameFault('too_long', text.length);
  const isPath = text.startsWith('/') || text.includes('%');
  const segments = segmentsOf(text, isPath);
  const words: string[] = [];
  let idsTaken = false;
  for (const segment of text.startsWith('/') && hasVersion(segments) ? segments.slice(1) : segments) {
    if (!isPath && !NAME_SEGMENT.test(segment)) return new NameFault('invalid_interface', text.length);
    const word = wordOf(segment);
    if (word !== segment) idsTaken = true;
    words.push(word);
  }
  if (words.length === 0 && !isPath) return new NameFault('invalid_interface', text.length);
  const name = words.join('/') || ROOT;
  if (name.length > REQUEST_LOG_BOUNDS.interfaceLengthMax) return new NameFault('too_long', name.length);
  if (idsTaken) onIdTaken?.();
  else remember(text, name);
  return name;
}

/** Whether a path is `/v4/<service>/<command>`, the form of every request to an IM gateway. */
export function isImPath(path: string): boolean {
  const segments = segmentsOf(path, true);
  return segments.length === 3 && hasVersion(segments);
}

/** Decoded, without empty ones and `.`. */
function segmentsOf(text: string, isPath: boolean): string[] {
  const query = isPath ? text.indexOf('?') : -1;
  const segments = decodePath(query === -1 ? text : text.slice(0, query)).split('/');
  const words = isPath ? segments.map(withoutParameters) : segments;
  return words.filter((word) => word !== '' && word !== '.');
}

/** The path is not the version alone. */
function hasVersion(segments: readonly string[]): boolean {
  return segments.length > 1 && segments[0]?.toLowerCase() === 'v4';
}

/** Where the escapes are no UTF-8 the path stays as it is, and each of its segments with a percent sign becomes an id. */
function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Matrix parameters: `sendmsg;jsessionid=5F2C` is `sendmsg`. */
function withoutParameters(segment: string): string {
  const semicolon = segment.indexOf(';');
  return semicolon === -1 ? segment : segment.slice(0, semicolon);
}

function wordOf(segment: string): string {
  const isPlain = WORD_CHARACTERS.test(segment) && LETTER_OR_DIGIT.test(segment);
  return isPlain && !isIdSegment(segment) ? segment : ID_PLACEHOLDER;
}

function remember(text: string, name: string): void {
  if (text.length > KNOWN_LENGTH_MAX) return;
  if (knownNames.size >= KNOWN_NAMES_MAX) knownNames.clear();
  knownNames.set(text, name);
}
