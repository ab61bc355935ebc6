/*
 * The one-use code in the fragment of a sign-in link. It is taken out of the address and of the history before
 * anything else happens, so that it is neither shared nor left behind.
 */

/** The same name the query API gives the fragment (a test holds them equal). */
export const SIGN_IN_FRAGMENT = 'sign-in';

/** The code in a fragment such as `#sign-in=abc`, or null. */
export function signInCodeOf(fragment: string): string | null {
  const code = new URLSearchParams(fragment.replace(/^#/, '')).get(SIGN_IN_FRAGMENT);
  return code === null || code === '' ? null : code;
}

/** Gives the code of the present address and removes it there. */
export function takeSignInCode(): string | null {
  const code = signInCodeOf(location.hash);
  if (code !== null) history.replaceState(null, '', location.pathname + location.search);
  return code;
}
