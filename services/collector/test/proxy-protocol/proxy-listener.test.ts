/* The listener alone, before a plain HTTP server of node: bounds of time and bytes, pieces, peers, stopping. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPeers, isPeer } from '../../src/proxy-protocol/peers.js';
import {
  type ProxyListener,
  type ProxyListenerOptions,
  startProxyListener,
} from '../../src/proxy-protocol/proxy-listener.js';
import { tcpHeader, textHeader } from './header-bytes.js';
import { exchange, postRequest, untilClosed } from './raw-connection.js';

type Front = ProxyListener & { readonly seen: string[]; end(): Promise<void> };

/** Notes what became of each connection: the source, or why it was closed. */
async function startFront(options: Partial<ProxyListenerOptions> = {}): Promise<Front> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => (bytes += chunk.length));
    request.on('end', () => response.end(`${request.method} ${bytes}`));
  });
  const listener = await startProxyListener({
    host: '127.0.0.1',
    port: 0,
    peers: createPeers(['127.0.0.1']),
    allowHalfOpen: true,
    onConnection: (socket, source) => {
      seen.push(source ?? 'peer');
      server.emit('connection', socket);
    },
    onRefused: (reason) => seen.push(reason),
    ...options,
  });
  return {
    ...listener,
    seen,
    end: async () => {
      listener.closeAllConnections();
      await listener.stop();
    },
  };
}

test('however header and request are split into packets, the request is complete and its source known', async () => {
  const front = await startFront();
  const body = 'x'.repeat(200_000);
  const cuts = fc.array(fc.nat({ max: 700 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(textHeader, tcpHeader), cuts, async (header, at) => {
      const bytes = Buffer.concat([Buffer.from(header('203.0.113.7')), Buffer.from(postRequest({}, body))]);
      const places = [0, ...at.toSorted((a, b) => a - b), bytes.length];
      const pieces = places.slice(1).map((place, index) => bytes.subarray(places[index], place));
      const answer = await exchange(front.port, pieces);
      assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*POST 200000/);
      assert.equal(front.seen.pop(), '203.0.113.7');
    }),
    { seed: 20_261_125, numRuns: 60 },
  );
  await front.end();
});

test('bytes that do not begin a header close the connection at once without an answer', async () => {
  const front = await startFront({ headerTimeoutMs: 60_000 });
  const faults: readonly [string | Buffer, string][] = [
    [postRequest(), 'no_header'],
    ['PROXY TCP4 nobody nowhere 1 2\r\n', 'malformed'],
    [`PROXY UNKNOWN ${'x'.repeat(100)}`, 'too_long'],
    [Buffer.concat([tcpHeader('203.0.113.7').subarray(0, 14), Buffer.from([0xff, 0xff])]), 'too_long'],
  ];
  for (const [bytes, reason] of faults) {
    assert.equal(await exchange(front.port, [bytes]), '');
    assert.equal(front.seen.pop(), reason);
  }
  await front.end();
});

test('a header that does not arrive completely in time closes the connection', async () => {
  const front = await startFront({ headerTimeoutMs: 50 });
  for (const beginning of [[], ['PROXY TCP4 203.0.113.7 '], [tcpHeader('203.0.113.7').subarray(0, 20)]]) {
    assert.equal(await exchange(front.port, beginning), '');
    assert.equal(front.seen.pop(), 'timed_out');
  }
  // A request that comes slowly behind a whole header is the HTTP server's business.
  const socket = connect(front.port, '127.0.0.1');
  const answer = untilClosed(socket);
  socket.write(textHeader('203.0.113.7'));
  await new Promise((resolve) => setTimeout(resolve, 150));
  socket.write(postRequest());
  assert.match(await answer, /^HTTP\/1\.1 200/);
  await front.end();
});

test('a connection that closes before its header is complete is counted as closed_early', async () => {
  const front = await startFront();
  for (const beginning of ['', 'PROXY TC']) {
    const socket = connect(front.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.end(beginning);
    await untilClosed(socket);
    assert.equal(front.seen.pop(), 'closed_early');
  }
  await front.end();
});

test('a peer that is not on the list is closed although its header is valid', async () => {
  const front = await startFront({ peers: createPeers(['10.0.0.0/8', '2001:db8::/32']) });
  assert.equal(await exchange(front.port, [textHeader('203.0.113.7') + postRequest()]), '');
  assert.deepEqual(front.seen, ['peer_not_allowed']);
  await front.end();
});

test('a stop closes connections without a header and waits for those that were passed on', async () => {
  const front = await startFront();
  const without = connect(front.port, '127.0.0.1');
  const handedOn = connect(front.port, '127.0.0.1');
  const [withoutClosed, answer] = [untilClosed(without), untilClosed(handedOn)];
  handedOn.write(textHeader('203.0.113.7'));
  await Promise.all([once(without, 'connect'), once(handedOn, 'connect')]);
  while (front.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
  let stopped = false;
  const stopping = front.stop().then(() => (stopped = true));
  assert.equal(await withoutClosed, '');
  assert.equal(stopped, false);
  handedOn.write(postRequest());
  assert.match(await answer, /^HTTP\/1\.1 200/);
  await stopping;
});

test('peers are addresses and networks of both families, also for mapped IPv4', () => {
  const peers = createPeers(['10.0.0.7', '192.0.2.0/24', '2001:db8::/32']);
  for (const address of ['10.0.0.7', '::ffff:10.0.0.7', '192.0.2.255', '2001:db8:ffff::1'])
    assert.ok(peers(address), address);
  for (const address of ['10.0.0.8', '192.0.3.0', '2001:db9::1', 'x', undefined])
    assert.ok(!peers(address), String(address));
  for (const text of ['', 'localhost', '10.0.0.0/33', '2001:db8::/129', '10.0.0/8', '10.0.0.0/', '::1%lo'])
    assert.ok(!isPeer(text), text);
});
