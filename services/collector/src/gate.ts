/* Who may connect, who a request comes from, and who sends it, put together. */
import type { Tokens } from '@imscope/runtime/tokens.js';
import { type AuthenticateRequest, createAuthenticator } from './authenticate-request.js';
import { ClientAddresses } from './clients/client-addresses.js';
import type { CollectorContext } from './collector-context.js';
import { type CountedConnections, createConnections } from './connections/connection-metrics.js';
import { GuessLimits } from './limits/guess-limits.js';
import type { Limits } from './limits/limits.js';

export type Gate = CountedConnections & {
  readonly clients: ClientAddresses;
  readonly authenticate: AuthenticateRequest;
};

export function createGate(
  { config, registry }: CollectorContext,
  { authenticate }: Pick<Tokens, 'authenticate'>,
  { refused }: Pick<Limits, 'refused'>,
): Gate {
  const counted = createConnections(config.connectionsMax, registry);
  const clients = new ClientAddresses(config.forwardedHops);
  const guesses = new GuessLimits();
  const { connections } = counted;
  return {
    ...counted,
    clients,
    authenticate: createAuthenticator({ authenticate, connections, clients, guesses, refused }),
  };
}
