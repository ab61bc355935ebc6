/*
 * Whether the session's token may read single requests. The service refuses the others; the pages leave out what they
 * could not show.
 */
import { permits } from '@imscope/schemas/registry-entry.js';
import { useContext } from 'react';
import { SessionContext } from './session-context.js';

export function useMayReadRequests(): boolean {
  const { session } = useContext(SessionContext);
  return session !== null && permits(session.scope, 'requests');
}
