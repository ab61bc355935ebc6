/*
 * Reads the interface's name and the application from the target of a request. Nothing else in it is kept: identifier,
 * usersig and random are credentials, other parameters and ids in paths may be personal.
 */
import { interfaceName, isImPath } from '@imscope/schemas/interface-name.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { rejected, type Rejected } from './reject-reasons.js';

export type RequestTarget = { readonly path: string; readonly query: string };

const REQUEST_LINE = /^[A-Z_-]{1,32} ([^]+?)(?: HTTP\/\d(?:\.\d)?)?$/;
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i;

/** Path and query of a request line such as `POST /v4/openim/sendmsg?sdkappid=1 HTTP/1.1`. */
export function targetOfRequestLine(line: string): RequestTarget | Rejected {
  const target = REQUEST_LINE.exec(line)?.[1];
  return target === undefined ? rejected('malformed_request') : splitTarget(target);
}

/** Path and query of the target in a request line, with or without scheme and host. */
export function splitTarget(target: string): RequestTarget | Rejected {
  const local = target.replace(ORIGIN, '');
  const [path = '', ...query] = local.split('?');
  if (!path.startsWith('/') && !(path === '' && local !== target)) return rejected('malformed_request');
  // A URL of scheme and host alone asks for `/`.
  return { path: path || '/', query: query.join('?') };
}

/** `openim/sendmsg` of `/v4/openim/sendmsg`; with `anyPath` any path has a name. */
export function interfaceOfPath(path: string, anyPath: boolean): { ok: true; name: string } | Rejected {
  if (!anyPath && !isImPath(path)) return rejected('not_im_request');
  const name = interfaceName(path);
  return typeof name === 'string' ? { ok: true, name } : rejected('invalid_interface');
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
