/*
 * What a reader without a session sees: a form for a read token, and how to get a fresh sign-in link.
 */
import type { Session } from '@imscope/schemas/query-api/session.js';
import { type SubmitEvent, useId, useState } from 'react';
import { Wordmark } from '../../parts/page-header.js';
import type { QueryError } from '../../api/query-client.js';
import { asQueryError, signIn } from '../../api/session-client.js';

type Props = {
  readonly error: QueryError | null;
  readonly usedLink: boolean;
  readonly onSession: (session: Session) => void;
};

export function SignInPage({ error, usedLink, onSession }: Props) {
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<QueryError | null>(null);
  const field = useId();
  const shown = failure ?? error;

  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    setBusy(true);
    signIn({ token: token.trim() })
      .then(onSession)
      .catch((reason: unknown) => {
        setFailure(asQueryError(reason));
        setBusy(false);
      });
  };

  return (
    <main className="sign-in">
      <Wordmark />
      <h1>Sign in</h1>
      {shown !== null && <SignInError error={shown} fromLink={failure === null && usedLink} />}
      <form onSubmit={submit}>
        <label htmlFor={field}>Read token</label>
        <input
          id={field}
          type="password"
          name="token"
          autoComplete="current-password"
          required
          minLength={16}
          maxLength={256}
          value={token}
          autoFocus
          data-testid="sign-in-token"
          onChange={(event) => {
            setToken(event.target.value);
          }}
        />
        <button className="button primary" type="submit" disabled={busy} data-testid="sign-in-submit">
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
      <p className="quiet">
        The token stays in this form: the browser keeps only a session cookie that pages cannot read. Instead
        of a token, a sign-in link works once, for ten minutes: <code>./scripts/start</code> prints one, and{' '}
        <code>POST /v1/sign-in-codes</code> with a read token gives the code for{' '}
        <code>{`${location.origin}/#sign-in=CODE`}</code>.
      </p>
    </main>
  );
}

function SignInError({ error, fromLink }: { readonly error: QueryError; readonly fromLink: boolean }) {
  const refused = error.status >= 400 && error.status < 500 && error.status !== 429;
  return (
    <div className="notice bad" role="alert" data-testid="sign-in-error" data-value={error.code}>
      {fromLink && refused ? (
        <p>
          <strong>This sign-in link no longer works.</strong> A link works once, for ten minutes. Ask for a
          new one where you got this, or sign in with a read token below.
        </p>
      ) : (
        <p>
          <strong>{refused ? 'The token was not accepted.' : 'Signing in did not work.'}</strong>{' '}
          {error.message}
        </p>
      )}
      <p className="quiet">
        <code>{error.code}</code>
      </p>
    </div>
  );
}
