/*
 * A request's target → the interface's name and the application. Everything else in it stays here: identifier,
 * usersig and random are credentials, other parameters and ids in paths may be personal.
 */
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { rejected, type Rejected } from './reject-reasons.js';

/** Stands in a name for what was an id, a number or no plain word, so that names stay few. */
export const ID_PLACEHOLDER = '{id}';

export type RequestTarget = { readonly path: string; readonly query: string };

const REQUEST_LINE = /^[A-Z_-]{1,32} ([^]+?)(?: HTTP\/\d(?:\.\d)?)?$/;
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i;

/** Path and query of a request line such as `POST /v4/openim/sendmsg?sdkappid=1 HTTP/1.1`. */
export function targetOfRequestLine(line: string): RequestTarget | Rejected {
  const target = REQUEST_LINE.exec(line)?.[1];
  return target === undefined ? rejected('malformed_request') : splitTarget(target);
}

/** Path and query of a target as it stands in a request line, with or without scheme and host. */
export function splitTarget(target: string): RequestTarget | Rejected {
  const local = target.replace(ORIGIN, '');
  const [path = '', ...query] = local.split('?');
  if (!path.startsWith('/') && !(path === '' && local !== target)) return rejected('malformed_request');
  return { path, query: query.join('?') };
}

/** `openim/sendmsg` of `/v4/openim/sendmsg`; `anyPath`: of any path, its words as they are. */
export function interfaceOfPath(path: string, anyPath: boolean): { ok: true; name: string } | Rejected {
  const words = decodePath(path)
    .split('/')
    .filter((word) => word !== '' && word !== '.');
  const isIm = words.length === 3 && words[0] === 'v4';
  if (!isIm && !anyPath) return rejected('not_im_request');
  const name = (isIm ? words.slice(1) : words).map(withoutId).join('/') || 'root';
  if (name.length > REQUEST_LOG_BOUNDS.interfaceLengthMax) return rejected('invalid_interface');
  return { ok: true, name };
}

/** The application in a query's `sdkappid`. */
export function applicationOfQuery(query: string): { ok: true; sdkAppId: number } | Rejected {
  const given = new URLSearchParams(query).get('sdkappid');
  return given === null || given === '' ? rejected('missing_application') : parseApplication(given);
}

/** @param text digits */
export function parseApplication(text: string): { ok: true; sdkAppId: number } | Rejected {
  const sdkAppId = /^\d{1,16}$/.test(text) ? Number(text) : 0;
  if (sdkAppId < 1 || sdkAppId > REQUEST_LOG_BOUNDS.sdkAppIdMax) return rejected('invalid_application');
  return { ok: true, sdkAppId };
}

function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    // Not text: no word of it is plain, so each piece with a percent sign becomes an id.
    return path;
  }
}

const PLAIN_WORD = /^(?=.*[A-Za-z0-9])[A-Za-z0-9_.-]{1,64}$/;
/** Three digits in a row or more, nothing but digits and separators, or eight letters of hex with a digit. */
const NUMBERED = /\d{3}|^[\d_.-]+$|^(?=.*\d)[0-9a-f-]{8,}$/i;
/** Long words with digits among the letters are made by machines: tokens, hashes, base64. */
const TOKEN_LIKE = /^(?=(?:.*\d){2})(?=.*[A-Za-z]).{20,}$/;

function withoutId(word: string): string {
  return PLAIN_WORD.test(word) && !NUMBERED.test(word) && !TOKEN_LIKE.test(word) ? word : ID_PLACEHOLDER;
}
