/*
 * The caller for whom a query is put to the store. Answers share some queries, which are made several calls below the
 * request. So the caller is kept in the asynchronous context of the request and is not an argument of these calls. A
 * query whose result several callers wait for counts for the caller that began it.
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
