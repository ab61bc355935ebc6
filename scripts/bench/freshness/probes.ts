/*
 * Probes: single records of a separate application, posted at a fixed rate beside the load. Repeated queries show which
 * of them are visible. A probe is visible when the first answer with it has arrived, so its latency includes the time of
 * the answer and the pause between two queries.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pipeline } from '../../pipeline/pipeline.js';

/** Not one of the simulated applications. */
const SDK_APP_ID = 1_499_999_999;
const SEND_INTERVAL_MS = 50;
const POLL_INTERVAL_MS = 50;
/** Row limit of an answer of the API. */
const ROWS_MAX = 100;
/** Wait after the last probe; a probe not visible by then is lost, and the bench fails. */
const WAIT_MS_MAX = 60_000;

type Requests = { readonly requests: readonly { readonly request_id: string }[] };

/** @returns milliseconds from the 202 to visible, one for each probe */
export async function probeFreshness(pipeline: Pipeline, forMs: number): Promise<number[]> {
  const acknowledged = new Map<string, number>();
  const visible = new Map<string, number>();
  const run = `probe-${Date.now()}`;
  const sent = new AbortController();
  const ask = async (): Promise<void> => {
    const deadline = performance.now() + forMs + WAIT_MS_MAX;
    while (!sent.signal.aborted || visible.size < acknowledged.size) {
      if (performance.now() > deadline) {
        throw new Error(
          `${acknowledged.size - visible.size} of ${acknowledged.size} probes are not visible after ${WAIT_MS_MAX} ms`,
        );
      }
      const path = `/v1/applications/${SDK_APP_ID}/requests?from=now-5m&limit=${ROWS_MAX}`;
      const { data } = await pipeline.ask<Requests>(path);
      const nowMs = performance.now();
      for (const { request_id: id } of data.requests) {
        if (id.startsWith(run) && !visible.has(id)) visible.set(id, nowMs);
      }
      await sleep(POLL_INTERVAL_MS);
    }
  };
  const send = async (): Promise<void> => {
    const startMs = performance.now();
    const inFlight: Promise<void>[] = [];
    for (let next = 0; performance.now() - startMs < forMs; next++) {
      const id = `${run}-${next}`;
      inFlight.push(post(pipeline, id).then((atMs) => void acknowledged.set(id, atMs)));
      await sleep(Math.max(0, startMs + (next + 1) * SEND_INTERVAL_MS - performance.now()));
    }
    await Promise.all(inFlight);
    sent.abort();
  };
  await Promise.all([send(), ask()]);
  // An answer with a probe that arrived before its 202 counts as 0 ms.
  return [...acknowledged].map(([id, atMs]) => Math.max(0, (visible.get(id) ?? Number.NaN) - atMs));
}

/** @returns when the 202 came */
async function post({ collectorUrl, credentials }: Pipeline, id: string): Promise<number> {
  const record = {
    time: Date.now(),
    sdk_app_id: SDK_APP_ID,
    interface: 'openim/sendmsg',
    exit_ip: '203.0.113.7',
    latency_ms: 12,
    code: 0,
    http_status: 200,
    node: 'probe',
    region: 'bench',
    platform: 'linux',
    request_id: id,
  };
  const answer = await fetch(`${collectorUrl}/v1/request-logs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${credentials.writeToken}`, 'content-type': 'application/json' },
    body: JSON.stringify([record]),
  });
  const body = await answer.text();
  if (answer.status !== 202 || !body.includes('"accepted":1'))
    throw new Error(`a probe got ${answer.status}: ${body}`);
  return performance.now();
}
