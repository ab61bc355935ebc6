/*
 * Opening and closing the session with the query service. The session itself lives in a cookie no script can read.
 */
import type { Session, SignIn } from '@imscope/schemas/query-api/session.js';
import { QueryError, sendRequest } from './query-client.js';

export type Opening =
  | { readonly kind: 'open'; readonly session: Session }
  /** Nobody is signed in; `error` says why an attempt failed, null where none was made. */
  | { readonly kind: 'closed'; readonly error: QueryError | null; readonly usedLink: boolean };

/** With the code of a sign-in link, or null to look for a session that is still open. */
export async function openSession(code: string | null): Promise<Opening> {
  if (code === null) return lookForSession(null);
  try {
    return { kind: 'open', session: await signIn({ code }) };
  } catch (error) {
    // An old link in a browser that is still signed in: no reason to lock the reader out.
    return lookForSession(asQueryError(error));
  }
}

export async function signIn(credential: SignIn): Promise<Session> {
  return toSession(await sendRequest('/v1/session', { method: 'POST', body: credential }));
}

export async function signOut(): Promise<void> {
  await sendRequest('/v1/session', { method: 'DELETE' });
}

async function lookForSession(linkError: QueryError | null): Promise<Opening> {
  try {
    return { kind: 'open', session: toSession(await sendRequest('/v1/session', { method: 'GET' })) };
  } catch (error) {
    const known = asQueryError(error);
    const nobody = known.status === 401 ? null : known;
    return { kind: 'closed', error: linkError ?? nobody, usedLink: linkError !== null };
  }
}

export function asQueryError(error: unknown): QueryError {
  return error instanceof QueryError ? error : new QueryError(0, 'page_failed', String(error), error);
}

function toSession(body: unknown): Session {
  if (typeof body === 'object' && body !== null) {
    const { name, applications, expires_at: expiresAt } = Object.fromEntries(Object.entries(body));
    const ids: unknown[] | null = Array.isArray(applications) ? applications : null;
    if (
      typeof name === 'string' &&
      typeof expiresAt === 'string' &&
      (applications === 'all' || ids !== null)
    ) {
      return {
        name,
        expires_at: expiresAt,
        applications: ids === null ? 'all' : ids.filter((id) => typeof id === 'number'),
      };
    }
  }
  throw new QueryError(200, 'unreadable_answer', 'The session is not of the expected form. Reload the page.');
}
