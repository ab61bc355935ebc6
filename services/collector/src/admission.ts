/* The composition of admission: open connections, client addresses, tokens, and the live viewers of what is accepted. */
import type { Tokens } from '@imscope/access/tokens.js';
import { type AuthenticateRequest, createAuthenticator } from './requests/authenticate-request.js';
import { ClientAddresses } from './clients/client-addresses.js';
import type { CollectorContext } from './collector-context.js';
import { type CountedConnections, createConnections } from './connections/connection-metrics.js';
import { InvalidTokenLimits } from './limits/invalid-token-limits.js';
import type { Limits } from './limits/limits.js';
import type { TapOptions } from './tap/serve-tap.js';
import { createTaps } from './tap/tap-metrics.js';
import type { AcceptOptions } from './requests/accept-request.js';

export type Admission = CountedConnections &
  TapOptions &
  Pick<AcceptOptions, 'watch'> & {
    readonly clients: ClientAddresses;
    readonly authenticate: AuthenticateRequest;
  };

export function createAdmission(
  { config, registry }: CollectorContext,
  { authenticate, find }: Pick<Tokens, 'authenticate' | 'find'>,
  { refused }: Pick<Limits, 'refused'>,
): Admission {
  const counted = createConnections(config.connectionsMax, registry);
  const clients = new ClientAddresses(config.forwardedHops);
  const invalidTokens = new InvalidTokenLimits();
  const { connections } = counted;
  const taps = createTaps(registry);
  return {
    ...counted,
    clients,
    taps,
    find,
    watch: (sender) => taps.watch(sender),
    authenticate: createAuthenticator({ authenticate, connections, clients, invalidTokens, refused }),
  };
}
