/*
 * Who is signed in, for the pages below; `expire` takes the reader back to the sign-in form.
 */
import type { Session } from '@imscope/schemas/query-api/session.js';
import { createContext } from 'react';

export type SessionHandle = {
  readonly session: Session | null;
  /** The service no longer knows the session. */
  readonly expire: () => void;
  readonly signOut: () => Promise<void>;
};

export const SessionContext = createContext<SessionHandle>({
  session: null,
  expire: () => undefined,
  signOut: () => Promise.resolve(),
});
