/*
 * Connects the PROXY listener to the collector's HTTP server: passes on connections with their source, counts them by
 * outcome, and logs those that were closed, sampled.
 */
import type { Server } from 'node:http';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Counter } from 'prom-client';
import type { ClientAddresses } from '../clients/client-addresses.js';
import { maskIp } from '../clients/ip-text.js';
import { SampledLog } from '../clients/sampled-log.js';
import { createPeers } from './peers.js';
import { type ProxyListener, type ProxyRefusal, startProxyListener } from './proxy-listener.js';

export type ProxyPort = {
  readonly host: string;
  readonly port: number;
  /** Addresses and networks. */
  readonly peers: readonly string[];
  /** By `outcome`. */
  readonly connections: Counter;
};

const WHAT_TO_DO: Readonly<Record<ProxyRefusal, string>> = {
  peer_not_allowed: 'add its address to PROXY_PROTOCOL_PEERS if it is a balancer',
  no_header: 'it sent no PROXY header: send one, or connect to COLLECTOR_PORT',
  malformed: 'its PROXY header violates the specification of its version',
  too_long: 'its PROXY header is longer than 107 bytes (version 1) or 1040 (version 2)',
  bad_checksum: 'the checksum of its PROXY header is wrong',
  timed_out: 'its PROXY header did not arrive within 3 seconds',
  closed_early: 'it closed before its PROXY header was complete',
  too_many: 'too many connections wait for their PROXY header',
};

export async function startProxyPort(
  proxyPort: ProxyPort,
  target: {
    readonly server: Server;
    /** Whether the server speaks TLS. */
    readonly secure: boolean;
    readonly clients: ClientAddresses;
    readonly logger: Logger;
  },
): Promise<ProxyListener> {
  const { server, secure, clients, logger } = target;
  const refusals = new SampledLog((kind, connections) => {
    const [reason = '', peer] = kind.split(' ');
    logger.warn(
      { reason, peer, connections, advice: isRefusal(reason) ? WHAT_TO_DO[reason] : undefined },
      'connections to the PROXY protocol listener closed',
    );
  });
  return startProxyListener({
    host: proxyPort.host,
    port: proxyPort.port,
    peers: createPeers(proxyPort.peers),
    allowHalfOpen: !secure,
    onConnection: (socket, source) => {
      proxyPort.connections.inc({ outcome: source === undefined ? 'unnamed' : 'named' });
      if (source !== undefined) clients.setProxySource(socket, source);
      server.emit('connection', socket);
    },
    onRefused: (reason, peer) => {
      proxyPort.connections.inc({ outcome: reason });
      // Health checks of some balancers connect and close at once.
      if (reason !== 'closed_early') refusals.note(`${reason} ${maskIp(peer ?? '')}`, performance.now());
    },
  });
}

function isRefusal(text: string): text is ProxyRefusal {
  return text in WHAT_TO_DO;
}
