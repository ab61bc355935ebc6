/* Creates the connections with their metrics: open ones, ones closed by a limit, protocol errors. */
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
    'connections closed by a limit, or because they kept sending an unread body, by reason',
    ['reason'],
  );
  const errors = metrics.counter(
    'protocol_errors_total',
    'answers to what is not an HTTP request or did not arrive in time, by code',
    ['code'],
  );
  const onClosed = (reason: ClosedReason): void => closed.inc({ reason });
  const connections = new Connections({ connectionsMax, onClosed });
  metrics.gauge('connections', 'open connections', () => connections.size);
  metrics.gauge(
    'unknown_connections',
    'open connections without a valid token so far',
    () => connections.unauthenticated,
  );
  return { connections, protocolError: (code) => errors.inc({ code }) };
}
