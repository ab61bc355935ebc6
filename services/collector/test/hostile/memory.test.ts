import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { containerForm, sealBlock } from '@imscope/schemas/container.js';
import { WRITE_TOKEN } from '../running-collector.js';
import { sampleRecord } from '../sample-record.js';
import { type CollectorProcess, HOSTILE_TOKEN, startCollectorProcess, until } from './collector-process.js';
import type { Usage } from './memory-probe.js';
import { exchange, head, openSocket } from './raw-client.js';

const MIB = 1 << 20;
const ROUNDS = 4;
const TIMES_MAX = 5;
const GROWTH_MAX = 20 * MIB;
const ZEROS = Buffer.alloc(64 * MIB);
const GZIP = { 'content-encoding': 'gzip' };

type Attack = { readonly body: string | Buffer; readonly headers: Record<string, string> };

function attacks(): Attack[] {
  const form = containerForm(REQUEST_LOG_SCHEMA, 'deflate');
  return [
    { body: gzipSync(ZEROS), headers: GZIP },
    { body: sealBlock(form, 1, deflateRawSync(ZEROS)), headers: { 'content-type': 'application/avro' } },
    { body: '['.repeat(99_000) + ']'.repeat(99_000), headers: {} },
    { body: `[${'{},'.repeat(90_000)}{}]`, headers: {} },
    { body: '{"a":1}\n'.repeat(90_000), headers: { 'content-type': 'application/x-ndjson' } },
    { body: Buffer.alloc(8 * MIB, 34), headers: {} },
    { body: JSON.stringify(sampleRecord({ cause: '手机号13800138000 '.repeat(400_000) })), headers: {} },
    // Names nobody has seen: what is remembered of them is bounded.
    {
      body: JSON.stringify(
        Array.from({ length: 5_000 }, (_, n) =>
          sampleRecord({ time: Date.now(), interface: `a/b${n % 1_000}`, region: `r${n}`, cause: `c${n}` }),
        ),
      ),
      headers: {},
    },
  ];
}

async function post(url: string, { body, headers }: Attack, token: string): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      connection: 'close',
      ...headers,
    },
  });
  await response.arrayBuffer();
  return response.status;
}

/** Everything at once, then quiet. */
async function attack(collector: CollectorProcess, bodies: readonly Attack[]): Promise<number[]> {
  const slow = Array.from({ length: 600 }, (_, n) => {
    const socket = openSocket(collector.url);
    socket.write(
      n % 2 === 0 ? `POST / HTTP/1.1\r\nX: ${'a'.repeat(15_000)}` : head('Content-Length: 9999999'),
    );
    return socket.resume();
  });
  const statuses = await Promise.all([
    ...bodies.map((one) => post(collector.url, one, HOSTILE_TOKEN)),
    ...Array.from({ length: 200 }, async () => {
      const { answers } = await exchange(collector.url, [`${'rubbish'.repeat(1_000)}\r\n\r\n`]);
      return answers[0]?.status ?? 0;
    }),
    ...Array.from({ length: 200 }, (_, n) =>
      post(collector.url, { body: '{}', headers: {} }, `wrong-token-${String(n).padStart(10, '0')}`),
    ),
  ]);
  for (const socket of slow) socket.destroy();
  await until('everything given back', async () => {
    const held = await Promise.all(
      ['buffered_bytes', 'connections', 'spool_batches'].map((name) => collector.metric(name)),
    );
    return held.every((count) => count === 0);
  });
  return statuses;
}

function inMib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

test('after all attacks the process holds at most 20 MB more, and no 5xx but 503 was answered', async (t) => {
  const collector = await startCollectorProcess();
  try {
    const bodies = attacks();
    const statuses = new Set<number>();
    const rounds = async (): Promise<Usage> => {
      for (let round = 0; round < ROUNDS; round++) {
        for (const status of await attack(collector, bodies)) statuses.add(status);
      }
      return collector.usage();
    };
    // Code is compiled, and what stays for good is made: that is no growth.
    let before = await rounds();
    let after = await rounds();
    // The allocator keeps what the worst moment took, and a worse one may come: it must not go on and on.
    for (
      let times = 1;
      times < TIMES_MAX && after.residentBytes - before.residentBytes > GROWTH_MAX;
      times++
    ) {
      [before, after] = [after, await rounds()];
    }
    const [held, resident] = [after.heldBytes - before.heldBytes, after.residentBytes - before.residentBytes];
    t.diagnostic(`held ${inMib(after.heldBytes)}, grown by ${inMib(held)}`);
    t.diagnostic(`resident ${inMib(after.residentBytes)}, grown by ${inMib(resident)}`);
    assert(held <= GROWTH_MAX, `held ${held} bytes more`);
    assert(resident <= GROWTH_MAX, `resident ${resident} bytes more, ${TIMES_MAX} times in a row`);
    assert.deepEqual(
      [...statuses].filter((status) => ![202, 400, 401, 413, 429, 503].includes(status)),
      [],
    );
    assert.equal(await post(collector.url, { body: '{}', headers: {} }, WRITE_TOKEN), 202);
    assert.equal(await collector.stop(), 0);
  } finally {
    await collector.remove();
  }
});
