import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ISocketFactory } from 'kafkajs';
import { connectForCompleteResponses, ResponseCutter } from '../../src/kafkajs/complete-responses.js';
import { ResponseBuffers } from '../../src/kafkajs/response-buffers.js';
import { avoidResponseCopies } from '../../src/kafkajs/response-joining.js';

function responseOf(bytes: number): Buffer {
  const answer = Buffer.alloc(4 + bytes, bytes % 251);
  answer.writeInt32BE(bytes, 0);
  return answer;
}

/** Feeds a stream as a socket would: never more at once than there is space, and in pieces of the given sizes. */
function feed(cutter: ResponseCutter, stream: Buffer, pieces: readonly number[]): void {
  let at = 0;
  for (let turn = 0; at < stream.length; turn++) {
    const space = cutter.space();
    const bytes = Math.min(space.length, pieces[turn % pieces.length] ?? 1, stream.length - at);
    stream.copy(space, 0, at, at + bytes);
    cutter.received(bytes);
    at += bytes;
  }
}

const SIZES = fc.array(
  fc.oneof(fc.nat(200), fc.nat(70_000), fc.constantFrom(65_531, 65_532, 65_533, 200_000)),
  {
    minLength: 1,
    maxLength: 12,
  },
);
const PIECES = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 300_000 })), {
  minLength: 1,
  maxLength: 8,
});

test('responses are handed over in order and complete, each with its length, however the network cuts them', () => {
  fc.assert(
    fc.property(SIZES, PIECES, (sizes, pieces) => {
      const handed: Buffer[] = [];
      const stream = Buffer.concat(sizes.map(responseOf));
      feed(new ResponseCutter(new ResponseBuffers(), (bytes) => handed.push(bytes)), stream, pieces);
      assert.ok(Buffer.concat(handed).equals(stream));
      for (const bytes of handed) {
        let at = 0;
        while (at < bytes.length) at += 4 + bytes.readInt32BE(at);
        assert.equal(at, bytes.length, 'ends where a response ends');
      }
    }),
    { numRuns: 200 },
  );
});

test('a large response is one buffer, and its bytes stay where they were read to', () => {
  const handed: Buffer[] = [];
  const cutter = new ResponseCutter(new ResponseBuffers(), (bytes) => handed.push(bytes));
  const answer = responseOf(1_000_000);
  feed(cutter, answer, [100_000]);
  assert.deepEqual(handed, [answer]);
});

test('bytes that begin with no possible length are handed over as they arrive', () => {
  const handed: Buffer[] = [];
  const stream = Buffer.concat([Buffer.from('HTTP/1.1 400 Bad Request\r\n'), Buffer.alloc(100_000, 7)]);
  feed(new ResponseCutter(new ResponseBuffers(), (bytes) => handed.push(bytes)), stream, [10, 40_000]);
  assert.ok(Buffer.concat(handed).equals(stream));
});

test('a connection hands over complete responses', async () => {
  const sizes = [10, 300_000, 0, 5_000_000, 20];
  const server = createServer((socket) => socket.end(Buffer.concat(sizes.map(responseOf)))).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const handed: Buffer[] = [];
  const none = false as unknown as Parameters<ISocketFactory>[0]['ssl'];
  const socket = connectForCompleteResponses(new ResponseBuffers())({
    host: '127.0.0.1',
    port,
    ssl: none,
    onConnect: () => undefined,
  });
  socket.on('data', (bytes: Buffer) => handed.push(bytes));
  await once(socket, 'close');
  server.close();
  assert.ok(Buffer.concat(handed).equals(Buffer.concat(sizes.map(responseOf))));
  assert.ok(handed.length <= sizes.length, `${handed.length} pieces`);
});

test('kafkajs reads a complete response in its own memory, and still joins one that arrives in pieces', () => {
  avoidResponseCopies();
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/connection.js') as {
    prototype: { processData: (this: object, bytes: Buffer) => unknown };
  };
  const given: { correlationId: number; payload: Buffer }[] = [];
  const requestQueue = { fulfillRequest: (one: (typeof given)[number]) => given.push(one) };
  const connection = { chunks: [Buffer.alloc(0)], bytesBuffered: 0, bytesNeeded: 4, requestQueue };
  const answers = [1_000, 2_000].map(responseOf);
  for (const answer of answers) {
    prototype.processData.call(connection, answer);
    assert.equal(given.at(-1)?.payload.buffer, answer.buffer);
  }
  const pieces = responseOf(3_000);
  prototype.processData.call(connection, pieces.subarray(0, 1_500));
  prototype.processData.call(connection, pieces.subarray(1_500));
  assert.deepEqual(
    given.map(({ payload }) => payload.length),
    [996, 1_996, 2_996],
  );
  assert.ok(given[2]?.payload.equals(pieces.subarray(8)));
});
