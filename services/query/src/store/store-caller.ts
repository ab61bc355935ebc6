/*
 * For which caller the store is asked. Look-ups that answers share are several calls below the request, so the caller is
 * kept with the asynchronous context of the request instead of being an argument of each of them. A look-up that other
 * callers join counts for the one that began it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

const callers = new AsyncLocalStorage<string>();

/** Runs `work`, and all that it starts, for this caller. */
export function askFor<T>(caller: string, work: () => T): T {
  return callers.run(caller, work);
}

/** Empty outside of requests. */
export function storeCaller(): string {
  return callers.getStore() ?? '';
}
