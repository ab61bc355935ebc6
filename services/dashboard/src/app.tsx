/*
 * The gate and the two pages behind it.
 */
import { useCallback, useEffect, useMemo, useState } from 'react';
import { Link, Route, Switch } from 'wouter';
import { ApplicationPage } from './pages/application/application-page.js';
import { FleetPage } from './pages/fleet/fleet-page.js';
import { Wordmark } from './parts/page-header.js';
import { readApplicationId } from './state/page-state.js';
import { asQueryError, type Opening, openSession, signOut } from './api/session-client.js';
import { SessionContext } from './api/session-context.js';
import { takeSignInCode } from './api/sign-in-code.js';
import { SignInPage } from './pages/sign-in/sign-in-page.js';

const SIGNED_OUT: Opening = { kind: 'closed', error: null, usedLink: false };

export function App({ opening }: { readonly opening: Promise<Opening> }) {
  const [gate, setGate] = useState<Opening | null>(null);

  useEffect(() => {
    // openSession never rejects.
    void opening.then(setGate);
    const followLink = (): void => {
      const code = takeSignInCode();
      if (code !== null) void openSession(code).then(setGate);
    };
    addEventListener('hashchange', followLink);
    return () => {
      removeEventListener('hashchange', followLink);
    };
  }, [opening]);

  const expire = useCallback(() => {
    setGate(SIGNED_OUT);
  }, []);
  const leave = useCallback(async () => {
    try {
      await signOut();
      setGate(SIGNED_OUT);
    } catch (error) {
      setGate({ kind: 'closed', error: asQueryError(error), usedLink: false });
    }
  }, []);
  const handle = useMemo(
    () => ({ session: gate?.kind === 'open' ? gate.session : null, expire, signOut: leave }),
    [gate, expire, leave],
  );

  if (gate === null)
    return <div className="gate-wait" aria-busy="true" aria-label="Looking for your session" />;
  if (gate.kind === 'closed') {
    return (
      <SignInPage
        error={gate.error}
        usedLink={gate.usedLink}
        onSession={(session) => {
          setGate({ kind: 'open', session });
        }}
      />
    );
  }
  return (
    <SessionContext value={handle}>
      <Pages />
    </SessionContext>
  );
}

function Pages() {
  return (
    <Switch>
      <Route path="/">
        <FleetPage />
      </Route>
      <Route path="/applications/:id">
        {({ id }) => {
          const sdkAppId = readApplicationId(id);
          return sdkAppId === null ? <NotFound /> : <ApplicationPage key={id} sdkAppId={sdkAppId} />;
        }}
      </Route>
      <Route>
        <NotFound />
      </Route>
    </Switch>
  );
}

function NotFound() {
  return (
    <main className="sign-in">
      <Wordmark />
      <h1>There is no such page</h1>
      <p>
        Applications stand at <code>/applications/SDKAppID</code>. <Link href="/">Go to the fleet</Link>
      </p>
    </main>
  );
}
