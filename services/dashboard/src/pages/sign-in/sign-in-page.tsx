/*
 * The page of a reader without a session: a form for a read token, and how to get a new sign-in link.
 */
import type { AskError } from '@imscope/schemas/query-api/ask.js';
import type { Session } from '@imscope/schemas/query-api/session.js';
import { type SubmitEvent, useId, useState } from 'react';
import { Wordmark } from '../../parts/header-frame.js';
import { asAskError } from '../../api/ask-service.js';
import { isRefused } from '../../api/retry.js';
import { signIn } from '../../api/session-client.js';
import { failureText } from '../../words/failure-text.js';
import { texts } from '../../words/texts.js';

type Props = {
  readonly error: AskError | null;
  readonly usedLink: boolean;
  readonly onSession: (session: Session) => void;
};

export function SignInPage({ error, usedLink, onSession }: Props) {
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<AskError | null>(null);
  const field = useId();
  const shown = failure ?? error;

  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    setBusy(true);
    signIn({ token: token.trim() })
      .then(onSession)
      .catch((reason: unknown) => {
        setFailure(asAskError(reason));
        setBusy(false);
      });
  };

  return (
    <main className="sign-in">
      <Wordmark />
      <h1>{texts.session.signIn}</h1>
      {shown !== null && <SignInError error={shown} fromLink={failure === null && usedLink} />}
      <form onSubmit={submit}>
        <label htmlFor={field}>{texts.session.readToken}</label>
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
          {busy ? texts.session.signingIn : texts.session.signIn}
        </button>
      </form>
      <p className="quiet">{texts.session.hint(location.origin)}</p>
    </main>
  );
}

function SignInError({ error, fromLink }: { readonly error: AskError; readonly fromLink: boolean }) {
  const refused = isRefused(error);
  return (
    <div className="notice bad" role="alert" data-testid="sign-in-error" data-value={error.code}>
      {fromLink && refused ? (
        <p>
          <strong>{texts.session.linkUsed}</strong> {texts.session.linkUsedAdvice}
        </p>
      ) : (
        <p>
          <strong>{refused ? texts.session.tokenRefused : texts.session.signInFailed}</strong>{' '}
          {failureText(error)}
        </p>
      )}
      <p className="quiet">
        <code>{error.code}</code>
      </p>
    </div>
  );
}
