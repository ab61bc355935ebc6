/*
 * Defect of kafkajs 2.2.4: with every response it sets a timer for pending requests, though there are none, at a time
 * long past. Node.js warns about it on stderr. With this patch a timer is set only where it has something to wait for:
 * pending requests, or the end of the broker's throttling.
 */
import { type LoadModule, type PatchedMethod, patchMethod } from './patch-method.js';

type RequestQueue = { readonly pending: readonly unknown[]; readonly throttledUntil: number };
type Schedule = (this: RequestQueue) => void;

const TARGET: PatchedMethod = {
  module: 'src/network/requestQueue/index.js',
  on: 'prototype',
  method: 'scheduleCheckPendingRequests',
  parameters: 0,
  mentions: ['this.pending', 'this.throttledUntil'],
};

/** For every client of this process. Throws where kafkajs is not as expected. */
export function preventNeedlessTimers(load?: LoadModule): void {
  patchMethod<Schedule>(
    TARGET,
    (schedule) =>
      function (this: RequestQueue): void {
        if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
      },
    load,
  );
}
