/*
 * Checks a callback URL against server-side request forgery: at its save, and before every use. Every address of its host
 * must be allowed; the addresses found are those that a use connects to.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { type CallbackTarget, readCallbackTarget, refused } from './callback-target.js';
import type { ResolveHost } from './host-resolver.js';
import type { IsAddressAllowed } from './public-address.js';

export type CallbackChecks = {
  readonly resolveHost: ResolveHost;
  /** In production `createAddressCheck`. Tests allow the address of their receiver. */
  readonly isAddressAllowed: IsAddressAllowed;
};

/** A name with more answers is refused: none of the public ones has that many. */
const ADDRESSES_MAX = 64;

/** @throws HttpError invalid_parameter for a URL that is not allowed, unavailable where DNS does not answer */
export async function checkCallbackUrl(
  text: string,
  checks: CallbackChecks,
): Promise<{ readonly target: CallbackTarget; readonly addresses: readonly string[] }> {
  const target = readCallbackTarget(text);
  const addresses = target.isAddress ? [target.host] : await lookUp(target.host, checks.resolveHost);
  if (addresses.length === 0)
    throw refused(`its host "${target.host}" has no address`, 'a host in the public DNS');
  if (addresses.length > ADDRESSES_MAX) {
    throw refused(`its host "${target.host}" has ${addresses.length} addresses`, `at most ${ADDRESSES_MAX}`);
  }
  // The address itself is not shown: it would tell what inside names resolve to.
  if (!addresses.every((address) => checks.isAddressAllowed(address))) {
    throw refused(`its host "${target.host}" has an address that is not public`, 'public addresses only');
  }
  return { target, addresses };
}

async function lookUp(host: string, resolveHost: ResolveHost): Promise<readonly string[]> {
  try {
    return await resolveHost(host);
  } catch (error) {
    throw new HttpError(
      'unavailable',
      `the callback URL could not be checked: DNS did not answer for "${host}"; try again`,
      { cause: error },
    );
  }
}
