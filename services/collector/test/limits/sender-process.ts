/*
 * A sender in a process of its own, for tests of fairness: posts one body at a steady rate over its own
 * connections while it is told to, whatever the answers are. Latency counts from when a request was due, so a
 * collector that is slow to answer is not spared the requests behind. Tells each answer to its parent.
 */
import { Agent, request } from 'node:http';
import { sampleRecord } from '../sample-record.js';

export type SenderOrder = {
  readonly url: string;
  readonly token: string;
  readonly sdkAppId: number;
  readonly recordsPerRequest: number;
  readonly requestsPerSecond: number;
  readonly connections: number;
  readonly forMs: number;
};

export type SenderAnswers = {
  readonly sent: number;
  readonly latenciesMs: readonly number[];
  readonly byStatus: Readonly<Record<string, number>>;
  readonly accepted: number;
};

async function send(order: SenderOrder): Promise<SenderAnswers> {
  const agent = new Agent({ keepAlive: true, maxSockets: order.connections });
  const latenciesMs: number[] = [];
  const byStatus: Record<string, number> = {};
  let accepted = 0;
  const pending: Promise<void>[] = [];
  const startMs = performance.now();
  const requests = Math.round((order.requestsPerSecond * order.forMs) / 1_000);
  const records = Array.from({ length: order.recordsPerRequest }, (_, n) => {
    const code = n % 100 === 0 ? 91_000 : 0;
    return sampleRecord({ time: Date.now(), sdk_app_id: order.sdkAppId, code, cause: '', exception: '' });
  });
  const body = Buffer.from(JSON.stringify(records));
  const noteAnswer = async (dueMs: number): Promise<void> => {
    const { status, text } = await post(order, agent, body);
    latenciesMs.push(performance.now() - dueMs);
    byStatus[status] = (byStatus[status] ?? 0) + 1;
    if (status === '202') accepted += Number(/"accepted":(\d+)/.exec(text)?.[1]);
  };
  for (let n = 0; n < requests; n++) {
    const dueMs = startMs + (n * 1_000) / order.requestsPerSecond;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    pending.push(noteAnswer(dueMs));
  }
  await Promise.all(pending);
  agent.destroy();
  return { sent: requests, latenciesMs, byStatus, accepted };
}

function post(order: SenderOrder, agent: Agent, body: Buffer): Promise<{ status: string; text: string }> {
  return new Promise((resolve) => {
    const headers = {
      authorization: `Bearer ${order.token}`,
      'content-type': 'application/json',
      'content-length': body.length,
    };
    const sent = request(order.url, { method: 'POST', headers, agent }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: String(response.statusCode), text }));
    });
    sent.on('error', (error) => resolve({ status: error.message, text: '' }));
    sent.end(body);
  });
}

process.on('message', (order: SenderOrder) => {
  void send(order).then((answers) => process.send?.(answers));
});
process.on('disconnect', () => process.exit());
