/*
 * Opening and closing the session with the query service. The session is a cookie that no script can read.
 */
import { AskError } from '@imscope/schemas/query-api/ask.js';
import { matches } from '@imscope/schemas/query-api/find-mismatch.js';
import { Session, type SignIn } from '@imscope/schemas/query-api/session.js';
import { asAskError, sendSession } from './ask-service.js';

export type Opening =
  | { readonly kind: 'open'; readonly session: Session }
  /** Nobody is signed in. `error`: why an attempt failed, null where there was none. */
  | { readonly kind: 'closed'; readonly error: AskError | null; readonly usedLink: boolean };

/**
 * Never rejects.
 * @param code of a sign-in link; null: look for a session that is still open
 */
export async function openSession(code: string | null): Promise<Opening> {
  if (code === null) return lookForSession(null);
  try {
    return { kind: 'open', session: await signIn({ code }) };
  } catch (error) {
    // An old link in a browser that is still signed in does not lock the reader out.
    return lookForSession(asAskError(error));
  }
}

export async function signIn(credential: SignIn): Promise<Session> {
  return toSession(await sendSession('POST', credential));
}

export async function signOut(): Promise<void> {
  await sendSession('DELETE');
}

async function lookForSession(linkError: AskError | null): Promise<Opening> {
  try {
    return { kind: 'open', session: toSession(await sendSession('GET')) };
  } catch (error) {
    const known = asAskError(error);
    const nobody = known.status === 401 ? null : known;
    return { kind: 'closed', error: linkError ?? nobody, usedLink: linkError !== null };
  }
}

function toSession(body: unknown): Session {
  if (matches(Session, body)) return body;
  throw new AskError('unreadable_answer', 'session', { status: 200, received: '' });
}
