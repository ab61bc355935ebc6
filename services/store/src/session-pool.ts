/*
 * Sessions of the engine, pooled by workload, so that reads run beside inserts and a KILL beside both. A session is
 * leased to one request at a time. More requests wait in a bounded queue; beyond it they get code 202. Nothing of a
 * request (settings, query parameters, database, rights) remains for the next one: a session in doubt is replaced,
 * which takes 1 ms.
 */
import type { Engine, EngineSession } from './engine.js';
import { FILE_ROLE } from './engine-config.js';
import { quoted, quotedName } from './engine-sql.js';
import { type StoreError, storeError } from './store-error.js';

/** `control` stops other statements. */
export type Workload = 'read' | 'write' | 'control';
export const WORKLOADS: readonly Workload[] = ['read', 'write', 'control'];

/** The state of a session that a statement runs in. */
export type SessionNeeds = {
  readonly database: string;
  readonly settings: ReadonlyMap<string, string>;
  readonly queryParameters: ReadonlyMap<string, string>;
  readonly readsFile: boolean;
};

export type SessionLease = {
  readonly session: EngineSession;
  /** A number from 0. No other lease of this workload has it at the same time. */
  readonly slot: number;
  prepare(needs: SessionNeeds): Promise<void>;
  /** Call once. `replace` where the statement may have changed the session. */
  release(replace?: boolean): void;
};

export type SessionPool = {
  /** Waits for a session. Throws code 202 where too many wait, code 236 when the store stops. */
  acquire(workload: Workload, signal: AbortSignal): Promise<SessionLease>;
  state(workload: Workload): { readonly busy: number; readonly waiting: number };
  close(): void;
};

type PooledSession = { readonly slot: number; session: EngineSession; state: SessionState };
type SessionState = {
  database: string;
  settings: ReadonlyMap<string, string>;
  readsFile: boolean;
  parameterNames: Set<string>;
};
type Waiter = { resolve(pooled: PooledSession): void; reject(error: StoreError): void };

/** Query parameters of a session can be overwritten but not unset; after so many names the session is replaced. */
const PARAMETER_NAMES_MAX = 256;

export function createSessionPool(
  engine: Engine,
  sessionsMax: Readonly<Record<Workload, number>>,
  queueLengthMax: number,
): SessionPool {
  const pools: Readonly<Record<Workload, WorkloadPool>> = {
    read: createWorkloadPool(engine, 'read', sessionsMax.read, queueLengthMax),
    write: createWorkloadPool(engine, 'write', sessionsMax.write, queueLengthMax),
    control: createWorkloadPool(engine, 'control', sessionsMax.control, queueLengthMax),
  };
  return {
    acquire: (workload, signal) => pools[workload].acquire(signal),
    state: (workload) => pools[workload].state(),
    close: () => {
      for (const workload of WORKLOADS) pools[workload].close();
    },
  };
}

type WorkloadPool = ReturnType<typeof createWorkloadPool>;

function createWorkloadPool(engine: Engine, workload: Workload, sessionsMax: number, queueLengthMax: number) {
  const free: PooledSession[] = [];
  const waiting: Waiter[] = [];
  let busy = 0;
  let opened = 0;
  let closed = false;

  const lease = (pooled: PooledSession): SessionLease => ({
    session: pooled.session,
    slot: pooled.slot,
    prepare: (needs) => prepare(pooled, needs),
    release: (replace = false) => {
      if (replace || pooled.state.parameterNames.size > PARAMETER_NAMES_MAX) {
        pooled.session.close();
        if (!closed) Object.assign(pooled, openPooledSession(engine, pooled.slot));
      }
      const next = waiting.shift();
      if (next !== undefined) return next.resolve(pooled);
      busy -= 1;
      if (closed) pooled.session.close();
      else free.push(pooled);
    },
  });

  return {
    state: () => ({ busy, waiting: waiting.length }),
    async acquire(signal: AbortSignal): Promise<SessionLease> {
      if (closed) throw storeError(236, 'The store is stopping');
      const pooled = free.pop();
      if (pooled !== undefined || opened < sessionsMax) {
        busy += 1;
        return lease(pooled ?? openPooledSession(engine, opened++));
      }
      if (waiting.length >= queueLengthMax)
        throw storeError(
          202,
          `Too many simultaneous queries: ${sessionsMax} run and ${waiting.length} wait to ${workload}, no more may; try again in a second`,
        );
      return new Promise<SessionLease>((resolve, reject) => {
        const waiter: Waiter = { resolve: (next) => resolve(lease(next)), reject };
        const leaveQueue = (): void => {
          const place = waiting.indexOf(waiter);
          if (place >= 0) waiting.splice(place, 1);
          reject(storeError(394, 'The client disconnected while its query waited'));
        };
        signal.addEventListener('abort', leaveQueue, { once: true });
        waiting.push(waiter);
        if (signal.aborted) leaveQueue();
      });
    },
    close() {
      closed = true;
      for (const waiter of waiting.splice(0)) waiter.reject(storeError(236, 'The store is stopping'));
      for (const pooled of free.splice(0)) pooled.session.close();
    },
  };
}

function openPooledSession(engine: Engine, slot: number): PooledSession {
  const state = {
    database: 'default',
    settings: new Map(),
    readsFile: true,
    parameterNames: new Set<string>(),
  };
  return { slot, session: engine.openSession(), state };
}

/** Changes the session from the state the last request left to the needed one: at most one USE, SET ROLE and SET. */
async function prepare(pooled: PooledSession, needs: SessionNeeds): Promise<void> {
  const { session, state } = pooled;
  if (state.readsFile !== needs.readsFile) {
    await session.run(needs.readsFile ? `SET ROLE ${FILE_ROLE}` : 'SET ROLE NONE');
    state.readsFile = needs.readsFile;
  }
  if (state.database !== needs.database) {
    await session.run(`USE ${quotedName(needs.database)}`);
    state.database = needs.database;
  }
  const changes = [
    ...[...state.settings.keys()]
      .filter((name) => !needs.settings.has(name))
      .map((name) => `${name} = DEFAULT`),
    ...[...needs.settings]
      .filter(([name, value]) => state.settings.get(name) !== value)
      .map(([name, value]) => `${name} = ${quoted(value)}`),
    ...[...needs.queryParameters].map(([name, value]) => `param_${name} = ${quoted(value)}`),
  ];
  if (changes.length === 0) return;
  await session.run(`SET ${changes.join(', ')}`);
  state.settings = needs.settings;
  for (const name of needs.queryParameters.keys()) state.parameterNames.add(name);
}
