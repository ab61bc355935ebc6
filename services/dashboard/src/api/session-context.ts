/*
 * The session of the reader, for the pages.
 */
import type { Session } from '@imscope/schemas/query-api/session.js';
import { createContext } from 'react';

export type SessionHandle = {
  readonly session: Session | null;
  readonly signOut: () => Promise<void>;
};

export const SessionContext = createContext<SessionHandle>({
  session: null,
  signOut: () => Promise.resolve(),
});
