/*
 * Sessions in three lanes, so that reads run beside inserts and a KILL beside both. A session is lent to one
 * request at a time; more wait in a bounded line, beyond it code 202. Promise: nothing of a request (settings,
 * parameters, database, rights) is left for the next one; a session in doubt is replaced, which costs 1 ms.
 */
import type { Engine, EngineSession } from './engine.js';
import { FILE_ROLE } from './engine-config.js';
import { quoted, quotedName } from './engine-sql.js';
import { type StoreError, storeError } from './store-error.js';

export type Lane = 'read' | 'write' | 'control';
export const LANES: readonly Lane[] = ['read', 'write', 'control'];

/** What a statement needs to find in its session, and nothing else. */
export type SessionNeeds = {
  readonly database: string;
  readonly settings: ReadonlyMap<string, string>;
  readonly parameters: ReadonlyMap<string, string>;
  readonly readsFile: boolean;
};

export type Lent = {
  readonly session: EngineSession;
  /** A number from 0, no other request of the lane has it at the time. */
  readonly seat: number;
  prepare(needs: SessionNeeds): Promise<void>;
  /** Call once. `replace` where the statement may have changed the session. */
  release(replace?: boolean): void;
};

export type SessionPool = {
  /** Waits for a session. Throws code 202 where too many wait, code 236 when the store stops. */
  acquire(lane: Lane, signal: AbortSignal): Promise<Lent>;
  state(lane: Lane): { readonly busy: number; readonly waiting: number };
  close(): void;
};

type Seat = { readonly number: number; session: EngineSession; state: SessionState };
type SessionState = {
  database: string;
  settings: ReadonlyMap<string, string>;
  readsFile: boolean;
  parameters: Set<string>;
};
type Waiter = { give(seat: Seat): void; refuse(error: StoreError): void };

/** Parameters cannot be unset in a session, only overwritten; after so many names it is replaced. */
const PARAMETER_NAMES_MAX = 256;

export function createSessionPool(
  engine: Engine,
  seats: Readonly<Record<Lane, number>>,
  queueLengthMax: number,
): SessionPool {
  const lanes = new Map(LANES.map((lane) => [lane, createLane(engine, lane, seats[lane], queueLengthMax)]));
  const laneOf = (lane: Lane): ReturnType<typeof createLane> => {
    const found = lanes.get(lane);
    if (found === undefined) throw new Error(`no lane ${lane}`);
    return found;
  };
  return {
    acquire: (lane, signal) => laneOf(lane).acquire(signal),
    state: (lane) => laneOf(lane).state(),
    close: () => {
      for (const lane of lanes.values()) lane.close();
    },
  };
}

function createLane(engine: Engine, lane: Lane, seatsMax: number, queueLengthMax: number) {
  const free: Seat[] = [];
  const waiting: Waiter[] = [];
  let busy = 0;
  let opened = 0;
  let closed = false;

  const lend = (seat: Seat): Lent => ({
    session: seat.session,
    seat: seat.number,
    prepare: (needs) => prepare(seat, needs),
    release: (replace = false) => {
      if (replace || seat.state.parameters.size > PARAMETER_NAMES_MAX) {
        seat.session.close();
        if (!closed) Object.assign(seat, newSeat(engine, seat.number));
      }
      const next = waiting.shift();
      if (next !== undefined) return next.give(seat);
      busy -= 1;
      if (closed) seat.session.close();
      else free.push(seat);
    },
  });

  return {
    state: () => ({ busy, waiting: waiting.length }),
    async acquire(signal: AbortSignal): Promise<Lent> {
      if (closed) throw storeError(236, 'The store is stopping');
      const seat = free.pop();
      if (seat !== undefined || opened < seatsMax) {
        busy += 1;
        return lend(seat ?? newSeat(engine, opened++));
      }
      if (waiting.length >= queueLengthMax)
        throw storeError(
          202,
          `Too many simultaneous queries: ${seatsMax} run and ${waiting.length} wait to ${lane}, no more may; try again in a second`,
        );
      return new Promise<Lent>((resolve, reject) => {
        const waiter: Waiter = { give: (given) => resolve(lend(given)), refuse: reject };
        const leave = (): void => {
          const place = waiting.indexOf(waiter);
          if (place >= 0) waiting.splice(place, 1);
          reject(storeError(394, 'The client went away while its query waited'));
        };
        signal.addEventListener('abort', leave, { once: true });
        waiting.push(waiter);
        if (signal.aborted) leave();
      });
    },
    close() {
      closed = true;
      for (const waiter of waiting.splice(0)) waiter.refuse(storeError(236, 'The store is stopping'));
      for (const seat of free.splice(0)) seat.session.close();
    },
  };
}

function newSeat(engine: Engine, number: number): Seat {
  const state = { database: 'default', settings: new Map(), readsFile: true, parameters: new Set<string>() };
  return { number, session: engine.openSession(), state };
}

/** Brings the session from what the last request left to what this one needs: one USE, SET ROLE and SET at most. */
async function prepare(seat: Seat, needs: SessionNeeds): Promise<void> {
  const { session, state } = seat;
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
    ...[...needs.parameters].map(([name, value]) => `param_${name} = ${quoted(value)}`),
  ];
  if (changes.length === 0) return;
  await session.run(`SET ${changes.join(', ')}`);
  state.settings = needs.settings;
  for (const name of needs.parameters.keys()) state.parameters.add(name);
}
