/*
 * The sender, a separate process: makes bodies, opens connections, sends as fast as answers arrive (closed loop) or at a
 * fixed rate (open loop), and returns the acknowledged records and the processor time of the collectors meanwhile. In
 * the open loop a request's latency counts from its planned moment, so that a stall is measured completely.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { processorSeconds } from '../process-usage.js';
import { percentile } from '../statistics.js';
import { asRequests, createBenchTraffic, makeBodies } from './bodies.js';
import { type BodyKind, connectionsFor } from './cases.js';
import { answerParent } from './child-process.js';
import { type Answer, KeepAliveConnection } from './keep-alive-connection.js';

export type Load = {
  readonly kind: BodyKind;
  readonly targets: readonly { readonly port: number; readonly pid: number }[];
  readonly token: string;
  /** Event time of the newest record, epoch milliseconds. */
  readonly atMs: number;
  /** Requests sent before counting begins. */
  readonly warmMs: number;
  readonly forMs: number;
  /** Absent: as fast as answers arrive. */
  readonly requestsPerSecond?: number;
};

export type LoadResult = {
  readonly acknowledgedRecords: number;
  /** Answers other than success, by status. */
  readonly refused: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly collectorSeconds: number;
  readonly generatorSeconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly answers: number;
};

/** After a refusal the next request of the same connection waits, as a client would. */
const REFUSED_PAUSE_MS = 50;

const traffic = createBenchTraffic();

/** Answers received while counting. */
class Tally {
  counting = false;
  acknowledgedRecords = 0;
  readonly refused: Record<string, number> = {};
  readonly latenciesMs: number[] = [];
  readonly #kind: BodyKind;

  constructor(kind: BodyKind) {
    this.#kind = kind;
  }

  count(answer: Answer, latencyMs: number): void {
    if (!this.counting) return;
    this.latenciesMs.push(latencyMs);
    const { status, body } = answer;
    if (status === 202) this.acknowledgedRecords += Number(/"accepted":(\d+)/.exec(body)?.[1] ?? 0);
    else if (isAcknowledged(answer)) this.acknowledgedRecords += this.#kind.records;
    else this.refused[status] = (this.refused[status] ?? 0) + 1;
  }
}

/** OTLP answers 200, with an empty body if every record was accepted. */
function isAcknowledged({ status, body }: Answer): boolean {
  return status === 202 || (status === 200 && body === '');
}

answerParent({ answer: answerLoad });

async function answerLoad(load: Load): Promise<LoadResult> {
  const requests = asRequests(makeBodies(traffic, load.kind, load.atMs), load.kind, load.token);
  const connections: KeepAliveConnection[] = [];
  for (let index = 0; index < connectionsFor(load.kind.records); index++) {
    const target = load.targets[index % load.targets.length];
    if (target !== undefined) connections.push(await KeepAliveConnection.open(target.port));
  }
  const tally = new Tally(load.kind);
  const stop = new AbortController();
  const sending =
    load.requestsPerSecond === undefined
      ? sendAsAnswered(connections, requests, tally, stop.signal)
      : sendByTheClock(connections, requests, tally, load.requestsPerSecond, stop.signal);
  const measured = await Promise.race([measure(load, tally), failing(sending)]);
  stop.abort();
  await sending;
  for (const connection of connections) connection.close();
  return {
    ...measured,
    p50Ms: percentile(tally.latenciesMs, 0.5),
    p99Ms: percentile(tally.latenciesMs, 0.99),
  };
}

async function measure(load: Load, tally: Tally): Promise<Omit<LoadResult, 'p50Ms' | 'p99Ms'>> {
  await sleep(load.warmMs);
  const startMs = performance.now();
  const before = used(load);
  tally.counting = true;
  await sleep(load.forMs);
  tally.counting = false;
  const seconds = (performance.now() - startMs) / 1_000;
  const after = used(load);
  return {
    acknowledgedRecords: tally.acknowledgedRecords,
    refused: tally.refused,
    answers: tally.latenciesMs.length,
    seconds,
    collectorSeconds: after.collectors - before.collectors,
    generatorSeconds: after.own - before.own,
  };
}

function used({ targets }: Load): { collectors: number; own: number } {
  const collectors = targets.reduce((sum, { pid }) => sum + processorSeconds(pid), 0);
  return { collectors, own: processorSeconds(process.pid) };
}

/** Never resolves; rejects if sending fails. */
async function failing(sending: Promise<void>): Promise<never> {
  await sending;
  return new Promise(() => undefined);
}

async function sendAsAnswered(
  connections: readonly KeepAliveConnection[],
  requests: readonly Buffer[],
  tally: Tally,
  stop: AbortSignal,
): Promise<void> {
  let next = 0;
  await Promise.all(
    connections.map(async (connection) => {
      while (!stop.aborted) {
        const request = requests[next++ % requests.length];
        if (request === undefined) return;
        const sentMs = performance.now();
        const answer = await connection.send(request);
        tally.count(answer, performance.now() - sentMs);
        if (!isAcknowledged(answer)) await sleep(REFUSED_PAUSE_MS);
      }
    }),
  );
}

/** While every connection is busy, a due request waits for the next free one, and the wait is part of its latency. */
async function sendByTheClock(
  connections: readonly KeepAliveConnection[],
  requests: readonly Buffer[],
  tally: Tally,
  perSecond: number,
  stop: AbortSignal,
): Promise<void> {
  const startMs = performance.now();
  const free = [...connections];
  const inFlight = new Set<Promise<void>>();
  const sendOne = async (connection: KeepAliveConnection, request: Buffer, dueMs: number): Promise<void> => {
    tally.count(await connection.send(request), performance.now() - dueMs);
    free.push(connection);
  };
  for (let next = 0; !stop.aborted;) {
    const dueMs = startMs + (next * 1_000) / perSecond;
    const connection = dueMs <= performance.now() ? free.pop() : undefined;
    const request = requests[next % requests.length];
    if (connection === undefined || request === undefined) {
      await sleep(1);
      continue;
    }
    next += 1;
    const sending = sendOne(connection, request, dueMs).finally(() => inFlight.delete(sending));
    inFlight.add(sending);
  }
  await Promise.all(inFlight);
}
