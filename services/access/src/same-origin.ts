/*
 * The check against requests that other sites cause: a browser sends the session cookie with them too.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';

/** `host` is the host that the caller addressed, with its port. */
export type OriginOfRequest = {
  readonly headers: {
    readonly 'sec-fetch-site'?: string | string[] | undefined;
    readonly origin?: string | undefined;
  };
  readonly host: string;
};

/**
 * Requests that change state by a session must come from our own pages. Throws `HttpError` not_allowed. Callers other than
 * browsers send neither header.
 */
export function requireSameOrigin(request: OriginOfRequest): void {
  const site = request.headers['sec-fetch-site'];
  const { origin } = request.headers;
  const sameSite = site === undefined || site === 'same-origin' || site === 'none';
  const sameHost = site !== undefined || origin === undefined || hostOf(origin) === request.host;
  if (sameSite && sameHost) return;
  throw new HttpError(
    'not_allowed',
    'this request comes from another site: send it from the dashboard itself',
  );
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
