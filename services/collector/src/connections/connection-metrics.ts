/* The figures of connections: how many there are, which were closed by our rules, what was no request. */
import type { ProtocolError } from '@imscope/runtime/http-protocol-errors.js';
import type { Registry } from 'prom-client';
import { metricMaker } from '../metrics/metric-maker.js';
import { type ClosedReason, Connections } from './connections.js';

export type CountedConnections = {
  readonly connections: Connections;
  readonly protocolError: (code: ProtocolError) => void;
};

export function createConnections(connectionsMax: number, registry: Registry): CountedConnections {
  const metrics = metricMaker(registry);
  const closed = metrics.counter(
    'connections_closed_total',
    'connections closed because there were too many, or went on sending unasked, by reason',
    ['reason'],
  );
  const errors = metrics.counter(
    'protocol_errors_total',
    'answers to what is no HTTP request or did not come in time, by code',
    ['code'],
  );
  const onClosed = (reason: ClosedReason): void => closed.inc({ reason });
  const connections = new Connections({ connectionsMax, onClosed });
  metrics.gauge('connections', 'open connections', () => connections.size);
  metrics.gauge(
    'unknown_connections',
    'open connections on which no valid token was shown yet',
    () => connections.unknown,
  );
  return { connections, protocolError: (code) => errors.inc({ code }) };
}
