/*
 * What a line tells of its request → interface and application. Paths are few, so what a path comes to is looked up;
 * the query is searched for `sdkappid` and for nothing else.
 */
import { known, PLACES, type Values } from './line-values.js';
import { rejected, type Rejected } from './reject-reasons.js';
import * as target from './request-target.js';

export type ReadRequest = { readonly name: string; readonly sdkAppId: number };

/** Paths with ids in them would fill it: cleared when full, at most 2 MB. */
const PATHS_MAX = 10_000;
const PATH_LENGTH_MAX = 200;
const PARAMETER = 'sdkappid=';
const AMPERSAND = 38;

export class RequestReader {
  readonly #sdkAppId: number | undefined;
  readonly #paths = new Map<string, string>();

  /** @param sdkAppId whose requests all are; undefined takes each request's own */
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

function splitRequest(values: Values): target.RequestTarget | Rejected {
  const line = known(values, PLACES.request);
  if (line !== undefined) return splitOrdinary(line) ?? target.targetOfRequestLine(line);
  const whole = known(values, PLACES.request_uri) ?? known(values, PLACES.uri);
  return whole === undefined ? rejected('malformed_request') : target.splitTarget(whole);
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

function readApplication(values: Values, query: string): number | Rejected {
  const own = known(values, PLACES.arg_sdkappid);
  const found =
    own === undefined
      ? (ordinaryApplication(query) ??
        target.applicationOfQuery(
          query === '' ? (known(values, PLACES.args) ?? known(values, PLACES.query_string) ?? '') : query,
        ))
      : target.parseApplication(own);
  if (typeof found === 'number') return found;
  return found.ok ? found.sdkAppId : found;
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
  for (let place = start; ; place++) {
    if (isDigit(query, place) && place - start < 15) {
      value = value * 10 + query.charCodeAt(place) - 48;
      continue;
    }
    const ends = place === query.length || query.charCodeAt(place) === AMPERSAND;
    return ends && value >= 1 ? value : undefined;
  }
}
