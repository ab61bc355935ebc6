/*
 * Finds the interface and the application of a request. There are few paths, so the interface of each is cached; of the
 * query only `sdkappid` is read.
 */
import { knownValue, VALUE_INDEX, type Values } from './line-values.js';
import { rejected, type Rejected } from './reject-reasons.js';
import * as target from './request-target.js';

export type ReadRequest = { readonly name: string; readonly sdkAppId: number };

/** Paths with ids in them would fill the cache: it is cleared when full, at most 2 MB. */
const PATHS_MAX = 10_000;
const PATH_LENGTH_MAX = 200;
const PARAMETER = 'sdkappid=';
const AMPERSAND = 38;

export class RequestReader {
  readonly #sdkAppId: number | undefined;
  readonly #paths = new Map<string, string>();

  /** @param sdkAppId whose requests all are; undefined: the `sdkappid` of each request */
  constructor(sdkAppId: number | undefined) {
    this.#sdkAppId = sdkAppId;
  }

  read(values: Values): ReadRequest | Rejected {
    const split = splitRequest(values);
    if ('ok' in split) return split;
    const name = this.#nameOf(split.path);
    if (typeof name !== 'string') return name;
    const sdkAppId = this.#sdkAppId ?? readApplication(values, split.query);
    return typeof sdkAppId === 'number' ? { name, sdkAppId } : sdkAppId;
  }

  #nameOf(path: string): string | Rejected {
    const before = this.#paths.get(path);
    if (before !== undefined) return before;
    const found = target.interfaceOfPath(path, this.#sdkAppId !== undefined);
    if (!found.ok) return found;
    if (this.#paths.size >= PATHS_MAX) this.#paths.clear();
    // Copies: a piece of a line keeps all bytes alive that were read with it.
    if (path.length <= PATH_LENGTH_MAX) this.#paths.set(copy(path), copy(found.name));
    return found.name;
  }
}

function copy(text: string): string {
  return Buffer.from(text).toString();
}

const TARGET_INDEXES = [VALUE_INDEX.request_uri, VALUE_INDEX.uri_with_args, VALUE_INDEX.uri];
const QUERY_INDEXES = [VALUE_INDEX.args, VALUE_INDEX.query_string];

/** The first target that can be read: after a malformed request line, those of the other variables are tried. */
function splitRequest(values: Values): target.RequestTarget | Rejected {
  const line = knownValue(values, VALUE_INDEX.request);
  const ofLine =
    line === undefined
      ? rejected('malformed_request')
      : (splitOrdinary(line) ?? target.targetOfRequestLine(line));
  if (!('ok' in ofLine)) return ofLine;
  for (const index of TARGET_INDEXES) {
    const text = knownValue(values, index);
    const split = text === undefined ? ofLine : target.splitTarget(text);
    if (!('ok' in split)) return split;
  }
  return ofLine;
}

const HTTP = ' HTTP/';

/** Path and query of `METHOD /path?query HTTP/1.1`, as nearly all requests are. */
function splitOrdinary(line: string): target.RequestTarget | undefined {
  const start = line.indexOf(' ') + 1;
  const end = line.length - ' HTTP/1.1'.length;
  const ordinary = (line.startsWith('POST') && start === 5) || (line.startsWith('GET') && start === 4);
  if (!ordinary || end <= start || line.charCodeAt(start) !== 47 || !line.startsWith(HTTP, end)) {
    return undefined;
  }
  if (!isDigit(line, end + 6) || line.charCodeAt(end + 7) !== 46 || !isDigit(line, end + 8)) return undefined;
  const question = line.indexOf('?', start);
  return question === -1
    ? { path: line.slice(start, end), query: '' }
    : { path: line.slice(start, question), query: line.slice(question + 1, end) };
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

/** The first that can be read of `$arg_sdkappid`, the request's query and the arguments. */
function readApplication(values: Values, query: string): number | Rejected {
  const own = knownValue(values, VALUE_INDEX.arg_sdkappid);
  let refused = rejected('missing_application');
  if (own !== undefined) {
    const found = target.parseApplication(own);
    if (found.ok) return found.sdkAppId;
    refused = found;
  }
  const ordinary = ordinaryApplication(query);
  if (ordinary !== undefined) return ordinary;
  for (const index of [undefined, ...QUERY_INDEXES]) {
    const text = index === undefined ? query : knownValue(values, index);
    if (text === undefined || text === '') continue;
    const found = target.applicationOfQuery(text);
    if (found.ok) return found.sdkAppId;
    if (refused.reason === 'missing_application') refused = found;
  }
  return refused;
}

/** `sdkappid` of 1 to 15 digits, where nothing before it is escaped so that it could be the same name. */
function ordinaryApplication(query: string): number | undefined {
  const at = query.startsWith(PARAMETER) ? 0 : query.indexOf(PARAMETER);
  if (at === -1 || (at > 0 && query.charCodeAt(at - 1) !== AMPERSAND)) return undefined;
  if (at > 0) {
    const escape = query.indexOf('%');
    if (escape !== -1 && escape < at) return undefined;
  }
  let value = 0;
  const start = at + PARAMETER.length;
  for (let index = start; ; index++) {
    if (isDigit(query, index) && index - start < 15) {
      value = value * 10 + query.charCodeAt(index) - 48;
      continue;
    }
    const ends = index === query.length || query.charCodeAt(index) === AMPERSAND;
    return ends && value >= 1 ? value : undefined;
  }
}
