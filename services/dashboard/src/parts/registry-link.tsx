/*
 * The way to an application in the registry, or to all of them; only for administrators.
 */
import { useContext } from 'react';
import { Link } from 'wouter';
import { SessionContext } from '../api/session-context.js';
import { texts } from '../words/texts.js';

export function RegistryLink({ sdkAppId }: { readonly sdkAppId?: number }) {
  const { session } = useContext(SessionContext);
  if (session?.scope !== 'admin') return null;
  const words = texts.header.registry;
  return sdkAppId === undefined ? (
    <Link href="/registry" className="button" data-testid="registry-link">
      {words.all}
    </Link>
  ) : (
    <Link href={`/registry/${sdkAppId.toString()}`} className="button" data-testid="registry-link">
      {words.one}
    </Link>
  );
}
