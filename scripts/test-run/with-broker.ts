/* The broker that all test files of a run share: it ends with the run, and the run ends with it. */
import type { ManagedProcess } from '../stack/process.js';

export type SharedBroker = { process(): ManagedProcess; stop(): Promise<unknown> };

export type BrokerRun<B extends SharedBroker> = {
  readonly start: () => Promise<B>;
  /** End the run early. */
  readonly stopping: AbortSignal;
  /** @param signal aborted when the run is to end, or when the broker has ended */
  readonly run: (broker: B, signal: AbortSignal) => Promise<void>;
};

/** Runs beside a broker, and stops it whatever happens. @returns the log of a broker that ended before the run */
export async function withBroker<B extends SharedBroker>({
  start,
  stopping,
  run,
}: BrokerRun<B>): Promise<string | undefined> {
  stopping.throwIfAborted();
  const broker = await start();
  const ended = new AbortController();
  const { exited, logFile } = broker.process();
  // Without a broker every test would wait for its own bound.
  void exited.then(() => ended.abort());
  try {
    await run(broker, AbortSignal.any([stopping, ended.signal]));
    return ended.signal.aborted ? logFile : undefined;
  } finally {
    await broker.stop();
  }
}
