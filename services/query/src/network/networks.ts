/*
 * What questions about networks need beside the store: the least of a row, and the ids of prefixes.
 */
import type { Minimum } from '../figures/minimum.js';
import { createNetworkIds, type NetworkIds } from './network-ids.js';

export type Networks = { readonly minimum: Minimum; readonly ids: NetworkIds };

export function createNetworks(settings: {
  readonly networkRowRequestsMin: number;
  readonly networkRowAddressesMin: number;
  readonly sessionKey: string;
}): Networks {
  const { networkRowRequestsMin: requests, networkRowAddressesMin: addresses, sessionKey } = settings;
  return { minimum: { requests, addresses }, ids: createNetworkIds(sessionKey) };
}
