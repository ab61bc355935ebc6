/* A run of tests that somebody stops: SIGINT and SIGTERM become an abort signal, so that what runs is ended first. */

export class StoppedBySignal extends Error {}

/** Aborted at the first SIGINT or SIGTERM; a second one ends this process at once, as without a handler. */
export function stopOnSignals(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => stop.abort(new StoppedBySignal(`stopped by ${name}`)));
  return stop.signal;
}
