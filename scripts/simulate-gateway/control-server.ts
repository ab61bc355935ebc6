/*
 * Owns the control port, loopback only: `GET /state`, `POST /incidents/{name}?for=120s&application=3`,
 * `DELETE /incidents/{name}`. `healthy` ends every incident. An incident without `for` lasts until it is ended.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { INCIDENT_NAMES, incident, isIncidentName, type IncidentSchedule } from './incidents.js';
import { durationMs } from './durations.js';

export interface ControlOptions {
  /** 0: a free port. */
  readonly port: number;
  readonly schedule: IncidentSchedule;
  /** What `GET /state` shows beside the incidents; plain data. */
  readonly state: () => object;
}

export interface ControlServer {
  readonly port: number;
  stop(): Promise<void>;
}

type Answer = readonly [status: number, body: object];

/** Starts the control port. */
export async function startControl({ port, schedule, state }: ControlOptions): Promise<ControlServer> {
  const server = createServer((request, response) => send(response, answer(request, schedule, state)));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address: AddressInfo | string | null = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function answer(request: IncomingMessage, schedule: IncidentSchedule, state: () => object): Answer {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://control');
  const method = request.method ?? 'GET';
  if (method === 'GET' && pathname === '/state') return [200, stateOf(schedule, state)];
  const name = /^\/incidents\/([a-z-]+)$/.exec(pathname)?.[1];
  if (name === undefined)
    return failure(404, 'not_found', `no such address: ${method} ${pathname}; see GET /state`);
  const nowMs = Date.now();
  if (name === 'healthy' && (method === 'POST' || method === 'DELETE')) {
    schedule.end('healthy', nowMs);
    return [200, stateOf(schedule, state)];
  }
  if (!isIncidentName(name)) {
    const allowed = ['healthy', ...INCIDENT_NAMES].join(', ');
    return failure(404, 'unknown_incident', `received ${name}; there are ${allowed}`);
  }
  if (method === 'DELETE') {
    schedule.end(name, nowMs);
    return [200, stateOf(schedule, state)];
  }
  if (method !== 'POST') return failure(405, 'method_not_allowed', `received ${method}; use POST or DELETE`);
  const forMs = durationMs(searchParams.get('for') ?? 'open');
  if (forMs === undefined) {
    return failure(
      400,
      'invalid_parameter',
      `for is ${searchParams.get('for')}; give a duration such as 120s or 5m`,
    );
  }
  const application = searchParams.get('application');
  if (application !== null && !/^\d{1,3}$/.test(application)) {
    return failure(
      400,
      'invalid_parameter',
      `application is ${application}; give its rank, 0 for the largest`,
    );
  }
  schedule.add(incident(name, nowMs, nowMs + forMs, application === null ? undefined : Number(application)));
  return [201, stateOf(schedule, state)];
}

function stateOf(schedule: IncidentSchedule, state: () => object): object {
  const nowMs = Date.now();
  return {
    running: schedule.at(nowMs).map(({ name }) => name),
    // JSON has no Infinity: null is an incident without a planned end.
    incidents: schedule
      .all()
      .map((known) => ({ ...known, toMs: Number.isFinite(known.toMs) ? known.toMs : null })),
    available: INCIDENT_NAMES,
    ...state(),
  };
}

function failure(status: number, code: string, message: string): Answer {
  return [status, { error: { code, message } }];
}

function send(response: ServerResponse, [status, body]: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}
