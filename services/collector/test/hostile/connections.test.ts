import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { WRITE_TOKEN } from '../running-collector.js';
import { sampleRecord } from '../sample-record.js';
import { type CollectorProcess, HOSTILE_TOKEN, startCollectorProcess, until } from './collector-process.js';
import { exchange, head, openSocket } from './raw-client.js';

const CONNECTIONS_MAX = 1_024;
const UNKNOWN_TOKEN = 'unknown-token-0000000001';

let collector: CollectorProcess;
const sockets: Socket[] = [];

before(async () => {
  collector = await startCollectorProcess({ CONNECTIONS_MAX: String(CONNECTIONS_MAX) });
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await until('all connections gone', async () => (await collector.metric('connections')) === 0);
  assert.equal(await collector.metric('buffered_bytes'), 0);
  assert(collector.isRunning());
});

after(() => collector.remove());

/** @param start what it opens with; then it drips on */
function slow(start: string, drip: string, localAddress?: string): Socket {
  const socket = openSocket(collector.url, localAddress);
  if (start !== '') socket.write(start);
  if (drip !== '') {
    const timer = setInterval(() => socket.write(drip), 500);
    socket.on('close', () => clearInterval(timer));
  }
  // What is answered has to be read for the end to be seen.
  socket.resume();
  sockets.push(socket);
  return socket;
}

const HALF_A_HEAD = 'POST /v1/request-logs HTTP/1.1\r\nHost: a\r\n';
const endlessBody = (token: string): string =>
  `${head('Content-Length: 8000000').replace(WRITE_TOKEN, token)}[`;

async function postGood(): Promise<number> {
  const response = await fetch(collector.url, {
    method: 'POST',
    body: JSON.stringify(sampleRecord({ time: Date.now() })),
    headers: {
      authorization: `Bearer ${WRITE_TOKEN}`,
      'content-type': 'application/json',
      connection: 'close',
    },
  });
  await response.arrayBuffer();
  return response.status;
}

/** How often a good sender, one request after the other, got which answer. */
async function postWhile(goesOn: () => Promise<boolean>): Promise<Record<string, number>> {
  const statuses: Record<string, number> = {};
  do {
    const status = String(await postGood());
    statuses[status] = (statuses[status] ?? 0) + 1;
  } while (await goesOn());
  return statuses;
}

test('2,000 slow connections do not disturb an authenticated sender, and unauthenticated ones are closed first', async () => {
  for (let each = 0; each < 600; each++) slow(HALF_A_HEAD, 'X-A: a\r\n');
  for (let each = 0; each < 600; each++) slow(endlessBody(UNKNOWN_TOKEN), ' ');
  for (let each = 0; each < 300; each++) slow('', '');
  for (let each = 0; each < 300; each++) slow(`GET / HTTP/1.1\r\nHost: a\r\n\r\n`, '');
  const strangers = sockets.length;
  for (let each = 0; each < 200; each++) slow(endlessBody(HOSTILE_TOKEN), ' ');
  const known = sockets.slice(strangers);
  const counts = { most: 0, mostUnknown: 0 };
  // As the collector sees them: what its queue had no room for, it never knew of.
  const statuses = await postWhile(async () => {
    const all = await collector.metric('connections');
    const unknown = await collector.metric('unknown_connections');
    counts.most = Math.max(counts.most, all);
    counts.mostUnknown = Math.max(counts.mostUnknown, unknown);
    return counts.mostUnknown < CONNECTIONS_MAX / 4 || unknown > 0;
  });
  assert.deepEqual(Object.keys(statuses), ['202']);
  assert((statuses['202'] ?? 0) > 20, JSON.stringify(statuses));
  assert(counts.most <= CONNECTIONS_MAX && counts.mostUnknown <= CONNECTIONS_MAX / 2, JSON.stringify(counts));
  assert(
    known.every(({ destroyed }) => !destroyed),
    'those of the known sender',
  );
  assert((await collector.metric('connections_closed_total', 'reason="crowded"')) > 0);
  assert((await collector.metric('requests_total', 'status="408"')) > 0);
  // The known one has thirty seconds for its body, then it is told so.
  await until('the known ones are cut off too', async () => known.every(({ destroyed }) => destroyed));
});

test('unauthenticated connections of one address do not replace a silent one of another address', async () => {
  const [, patient] = [slow('', '', '127.0.0.1'), slow('', '', '127.0.0.2')];
  for (let each = 0; each < CONNECTIONS_MAX; each++) slow('', '', '127.0.0.1');
  await until('half of them closed', async () => {
    return (await collector.metric('unknown_connections')) === CONNECTIONS_MAX / 2;
  });
  assert.equal(patient.destroyed, false);
});

test('one sender has at most half of the connections; further ones get 429, and other senders are accepted', async () => {
  for (let each = 0; each < CONNECTIONS_MAX / 2; each++) slow(endlessBody(HOSTILE_TOKEN), '');
  await until('all of them known', async () => {
    const known = (await collector.metric('connections')) - (await collector.metric('unknown_connections'));
    return known === CONNECTIONS_MAX / 2;
  });
  const one = await exchange(collector.url, [endlessBody(HOSTILE_TOKEN)], 1);
  assert.deepEqual(
    one.answers.map(({ status, code }) => [status, code]),
    [[429, 'too_many_requests']],
  );
  assert.match(one.answers[0]?.headers ?? '', /^retry-after: 1$/im);
  assert.equal(await postGood(), 202);
});

function limited(): Promise<number> {
  return collector.metric('requests_limited_total', 'limit="address"');
}

test('of 1,000 wrong tokens most get 429, and a valid one from the same address is accepted at once', async () => {
  const codes: Record<string, number> = {};
  const before = await limited();
  for (let each = 0; each < 1_000; each++) {
    const guess = head('Content-Length: 2').replace(
      WRITE_TOKEN,
      `wrong-token-${String(each).padStart(10, '0')}`,
    );
    const { answers, isClosed } = await exchange(collector.url, [`${guess}[]`]);
    assert.equal(answers.length, 1);
    assert(isClosed, 'a guess ends its connection');
    const [{ code = '', headers, status } = { status: 0, headers: '' }] = answers;
    codes[code] = (codes[code] ?? 0) + 1;
    if (status === 429) assert.match(headers, /^retry-after: 1$/im);
    if (each % 100 === 99) assert.equal(await postGood(), 202);
  }
  assert.deepEqual(Object.keys(codes).toSorted(), ['invalid_token', 'too_many_requests']);
  assert((codes['too_many_requests'] ?? 0) > (codes['invalid_token'] ?? 0), JSON.stringify(codes));
  assert.equal((await limited()) - before, codes['too_many_requests']);
});

test('uploads that break off at any stage release all reserved memory', async () => {
  const body = JSON.stringify(Array.from({ length: 2_000 }, () => sampleRecord({ time: Date.now() })));
  const whole = head(`Content-Length: ${body.length}`) + body;
  const stages = [
    0,
    10,
    100,
    whole.indexOf('\r\n\r\n') + 2,
    whole.indexOf('['),
    70_000,
    whole.length - 1,
    whole.length,
  ];
  const requests = await collector.metric('requests_total');
  for (let round = 0; round < 10; round++) {
    await Promise.all(
      stages.map(async (stage) => {
        const socket = openSocket(collector.url);
        await new Promise((resolve) => socket.write(whole.slice(0, stage) || '\r\n', resolve));
        if (round % 2 === 0) socket.destroy();
        else socket.resetAndDestroy();
      }),
    );
  }
  await until('everything given back', async () => {
    const held = await Promise.all(
      ['buffered_bytes', 'connections', 'spool_batches', 'bodies_waiting'].map((name) =>
        collector.metric(name),
      ),
    );
    return held.every((bytes) => bytes === 0);
  });
  assert((await collector.metric('requests_total')) > requests);
  assert.equal(await postGood(), 202);
});
