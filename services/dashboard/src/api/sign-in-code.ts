/*
 * The one-use code in the fragment of a sign-in link. It is removed from the address and the history first of all, so
 * that it is neither shared nor left behind.
 */

/** Equal to the name that the query API gives the fragment (a test compares them). */
export const SIGN_IN_FRAGMENT = 'sign-in';

/** The code in a fragment such as `#sign-in=abc`, or null. */
export function signInCodeOf(fragment: string): string | null {
  const code = new URLSearchParams(fragment.replace(/^#/, '')).get(SIGN_IN_FRAGMENT);
  return code === null || code === '' ? null : code;
}

/** Returns the code of the present address and removes it there. */
export function removeSignInCode(): string | null {
  const code = signInCodeOf(location.hash);
  if (code !== null) history.replaceState(null, '', location.pathname + location.search);
  return code;
}
