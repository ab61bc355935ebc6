/*
 * Lines as a gateway's nginx writes them, each with a request id of its own, and what is asked of where they went.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoredMessage } from '../running-collector.js';

export const LOG_FORMAT =
  '$remote_addr [$msec] "$request" $status $request_time $upstream_response_time $tcpinfo_rtt "$upstream_http_x_im_code" "$http_user_agent" $request_id';

export const TAIL_ENVIRONMENT = {
  COLLECTOR_LISTEN: 'false',
  TAIL_LOG_FORMAT: LOG_FORMAT,
  TAIL_CODE_VARIABLE: 'upstream_http_x_im_code',
  TAIL_FINISH_MS: '300',
};

export type LineParts = {
  readonly id: string;
  readonly timeMs?: number;
  readonly status?: number;
  readonly code?: string;
  readonly agent?: string;
};

export function logLine({
  id,
  timeMs = Date.now(),
  status = 200,
  code = '0',
  agent = 'curl',
}: LineParts): string {
  return `203.0.113.7 [${(timeMs / 1000).toFixed(3)}] "POST /v4/openim/sendmsg?sdkappid=1400000001&identifier=admin&usersig=eJyrVg&random=7&contenttype=json HTTP/1.1" ${status} 0.041 0.030 1500 "${code}" "${agent}" ${id}`;
}

/** Request ids of all records, sorted. */
export function idsOf(messages: readonly StoredMessage[]): string[] {
  return recordsOf(messages)
    .map(({ request_id: id }) => id)
    .toSorted();
}

/** All records, each batch once: as whoever reads the log takes it. */
export function recordsOf<T>(messages: readonly StoredMessage<T>[]): T[] {
  const batches = new Map(
    messages.map((message) => {
      const { boot, partition, sequence } = message.headers.batch;
      return [`${boot}:${partition}:${sequence}`, message.records];
    }),
  );
  return [...batches.values()].flat();
}

/** A process takes 20 s to start on a machine that is busy otherwise. */
const WAIT_MS_MAX = 120_000;
const LOOK_MS = 20;

/** Asks again and again. Throws where it does not come true. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`not so after ${WAIT_MS_MAX} ms: ${what}`);
    await sleep(LOOK_MS);
  }
}
