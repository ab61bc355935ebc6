/*
 * The dashboard: the sign-in page, or the two pages for a reader with a session.
 */
import { QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react';
import { Link, Route, Switch } from 'wouter';
import { asAskError } from './api/ask-service.js';
import { createServerState } from './api/server-state.js';
import { type Opening, openSession, signOut } from './api/session-client.js';
import { SessionContext } from './api/session-context.js';
import { removeSignInCode } from './api/sign-in-code.js';
import { ApplicationPage } from './pages/application/application-page.js';
import { FleetPage } from './pages/fleet/fleet-page.js';
import { SignInPage } from './pages/sign-in/sign-in-page.js';
import { Wordmark } from './parts/header-frame.js';
import { readApplicationId } from './state/page-state.js';
import { texts } from './words/texts.js';

/** Loaded when one is opened: readers of figures never need them. */
const RegistryPages = lazy(() => import('./pages/registry/registry-pages.js'));

const SIGNED_OUT: Opening = { kind: 'closed', error: null, usedLink: false };

export function App({ opening }: { readonly opening: Promise<Opening> }) {
  const [session, setSession] = useState<Opening | null>(null);

  useEffect(() => {
    void opening.then(setSession);
    const followLink = (): void => {
      const code = removeSignInCode();
      if (code !== null) void openSession(code).then(setSession);
    };
    addEventListener('hashchange', followLink);
    return () => {
      removeEventListener('hashchange', followLink);
    };
  }, [opening]);

  const end = useCallback(() => {
    setSession(SIGNED_OUT);
  }, []);
  const leave = useCallback(async () => {
    try {
      await signOut();
      end();
    } catch (error) {
      setSession({ kind: 'closed', error: asAskError(error), usedLink: false });
    }
  }, [end]);
  const handle = useMemo(
    () => ({ session: session?.kind === 'open' ? session.session : null, signOut: leave }),
    [session, leave],
  );

  if (session === null) return <Waiting label={texts.session.lookingForSession} />;
  if (session.kind === 'closed') {
    return (
      <SignInPage
        error={session.error}
        usedLink={session.usedLink}
        onSession={(opened) => {
          setSession({ kind: 'open', session: opened });
        }}
      />
    );
  }
  return (
    <SessionContext value={handle}>
      <Pages onSessionEnd={end} />
    </SessionContext>
  );
}

/** Answers are forgotten with the session. */
function Pages({ onSessionEnd }: { readonly onSessionEnd: () => void }) {
  const [serverState] = useState(() => createServerState(onSessionEnd));
  return (
    <QueryClientProvider client={serverState}>
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
        <Route path="/registry">
          <Suspense fallback={<Waiting label={texts.list.loading} />}>
            <RegistryPages sdkAppId={null} />
          </Suspense>
        </Route>
        <Route path="/registry/:id">
          {({ id }) => {
            const sdkAppId = readApplicationId(id);
            if (sdkAppId === null) return <NotFound />;
            return (
              <Suspense fallback={<Waiting label={texts.list.loading} />}>
                <RegistryPages key={id} sdkAppId={sdkAppId} />
              </Suspense>
            );
          }}
        </Route>
        <Route>
          <NotFound />
        </Route>
      </Switch>
    </QueryClientProvider>
  );
}

function Waiting({ label }: { readonly label: string }) {
  return <div className="gate-wait" aria-busy="true" aria-label={label} />;
}

function NotFound() {
  return (
    <main className="sign-in">
      <Wordmark />
      <h1>{texts.session.noSuchPage}</h1>
      <p>
        {texts.session.noSuchPageAdvice((label) => (
          <Link href="/">{label}</Link>
        ))}
      </p>
    </main>
  );
}
