/*
 * Texts of signing in and out.
 */
import type { ReactNode } from 'react';

export const sessionTexts = {
  lookingForSession: 'Looking for your session',
  signIn: 'Sign in',
  signingIn: 'Signing in…',
  signOut: 'Sign out',
  signOutOf: (name: string) => `Signed in as ${name}. Sign out`,
  readToken: 'Read token',
  hint: (origin: string): ReactNode => (
    <>
      The token stays in this form: the browser keeps only a session cookie that pages cannot read. Instead of
      a token, a sign-in link works once, for ten minutes: <code>./scripts/start</code> prints one, and{' '}
      <code>POST /v1/sign-in-codes</code> with a read token gives the code for{' '}
      <code>{`${origin}/#sign-in=CODE`}</code>.
    </>
  ),
  linkUsed: 'This sign-in link no longer works.',
  linkUsedAdvice:
    'A link works once, for ten minutes. Ask for a new one where you got this, or sign in with a read token below.',
  tokenRefused: 'The token was not accepted.',
  signInFailed: 'Signing in did not work.',
  noSuchPage: 'There is no such page',
  noSuchPageAdvice: (toFleet: (label: string) => ReactNode): ReactNode => (
    <>
      Applications are at <code>/applications/SDKAppID</code>. {toFleet('Go to the fleet')}
    </>
  ),
};
