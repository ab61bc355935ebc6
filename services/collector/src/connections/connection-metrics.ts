/* The figures of connections: how many there are, which were closed by our rules, what was no request. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { type ClosedReason, Connections } from './connections.js';
import type { ProtocolError } from './protocol-errors.js';

export type CountedConnections = {
  readonly connections: Connections;
  readonly protocolError: (code: ProtocolError) => void;
};

export function createConnections(connectionsMax: number, registry: Registry): CountedConnections {
  const registers = [registry];
  const closed = new Counter<'reason'>({
    name: 'imscope_collector_connections_closed_total',
    help: 'connections closed because there were too many, or went on sending unasked, by reason',
    labelNames: ['reason'],
    registers,
  });
  const errors = new Counter<'code'>({
    name: 'imscope_collector_protocol_errors_total',
    help: 'answers to what is no HTTP request or did not come in time, by code',
    labelNames: ['code'],
    registers,
  });
  const onClosed = (reason: ClosedReason): void => closed.inc({ reason });
  const connections = new Connections({ connectionsMax, onClosed });
  const gauge = (name: string, help: string, read: () => number): void => {
    const made: Gauge = new Gauge({
      name: `imscope_collector_${name}`,
      help,
      registers,
      collect: () => made.set(read()),
    });
  };
  gauge('connections', 'open connections', () => connections.size);
  gauge(
    'unknown_connections',
    'open connections on which no valid token was shown yet',
    () => connections.unknown,
  );
  return { connections, protocolError: (code) => errors.inc({ code }) };
}
