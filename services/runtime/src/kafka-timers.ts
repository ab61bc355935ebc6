/*
 * A hole in kafkajs 2.2: with every answer it sets a timer for requests that wait, though none do, at a time long past.
 * Node.js says so on stderr, and a millisecond later looks for nothing. Here a timer is set only where there is
 * something to wait for: requests in its queue, or the end of the broker's throttling.
 */
import { createRequire } from 'node:module';

type RequestQueue = {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  scheduleCheckPendingRequests(): void;
};

const requestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
  readonly prototype: RequestQueue;
};
let closed = false;

/** Closes the hole for every client of this process. */
export function setNoNeedlessTimers(): void {
  if (closed) return;
  closed = true;
  const schedule = requestQueue.prototype.scheduleCheckPendingRequests;
  requestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
}
