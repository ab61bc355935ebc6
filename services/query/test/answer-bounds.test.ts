import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type AnswerBounds, FLAT_ROWS } from '../src/store/answer-bounds.js';
import { createAnswerBudget } from '../src/store/answer-budget.js';
import { createMetrics } from '../src/metrics.js';
import { createRegistry } from '@imscope/runtime/metrics.js';
import { HttpError, installErrorAnswers } from '@imscope/runtime/http-errors.js';
import { createLogger } from '@imscope/runtime/logger.js';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { assertError } from './read-answer.js';

const MIB = 1 << 20;
const BOUNDS: AnswerBounds = {
  pointsMax: 10,
  rowsMax: 10,
  bytes: MIB,
  bytesPerPoint: 0,
  memoryPerByte: FLAT_ROWS,
};

function appWithBudget(memoryBytesMax = 64 * MIB, sendMsMax = 60_000) {
  const app = Fastify({ return503OnClosing: false });
  const registry = createRegistry('query');
  const metrics = createMetrics(registry, { storeQueriesInFlight: () => 0, storeQueriesWaiting: () => 0 });
  const budget = createAnswerBudget({ memoryBytesMax, waitingMax: 0, waitMsMax: 100, sendMsMax, metrics });
  installErrorAnswers(app, createLogger('query', 'silent'));
  app.decorateRequest('grant', null);
  budget.install(app);
  return { app, budget, registry };
}

test('a route that declares no bounds does not start, wherever it is registered', async () => {
  const registrations: ((app: FastifyInstance) => unknown)[] = [
    (app) => app.get('/v1/new', async () => 'much'),
    (app) => app.post('/v1/new', { config: {} }, async () => 'much'),
    (app) => app.register(async (part) => part.get('/v1/new', async () => 'much')),
  ];
  for (const register of registrations) {
    const { app } = appWithBudget();
    await app.register(async (part) => void (await register(part)));
    await assert.rejects(
      async () => app.ready(),
      /\/v1\/new declares no bounds of its answers: add it as a question/,
    );
  }
});

test('bounds that no budget could ever hold do not start', async () => {
  const { app } = appWithBudget(3 * MIB);
  app.get('/v1/new', { config: { bounds: BOUNDS } }, async () => 'much');
  await assert.rejects(
    async () => app.ready(),
    /may need 4194304 bytes for an answer, ANSWER_MEMORY_BYTES_MAX is 3145728/,
  );
});

test('memory is reserved before a handler runs, and released when its answer has left', async () => {
  const { app, budget } = appWithBudget();
  let reservedBytes = 0;
  app.get('/v1/new', { config: { bounds: BOUNDS } }, async () => {
    reservedBytes = budget.reservedBytes();
    return 'an answer';
  });
  assert.equal((await app.inject('/v1/new')).body, 'an answer');
  assert.equal(reservedBytes, 4 * MIB);
  assert.equal(budget.reservedBytes(), 0);
  assert.equal((await app.inject('/v1/none')).statusCode, 404);
  await app.close();
});

test('once an answer is built, only its own bytes and those of sending stay reserved', async () => {
  const { app, budget } = appWithBudget();
  let whileSending = 0;
  app.addHook('onSend', async (_request, _reply, payload) => {
    whileSending = budget.reservedBytes();
    return payload;
  });
  app.get('/v1/new', { config: { bounds: BOUNDS } }, async () => 'x'.repeat(1_000));
  await app.inject('/v1/new');
  assert.equal(whileSending, MIB + 2_000);
  await app.close();
});

test('an answer larger than its bounds is 422, and what it held is released', async () => {
  const { app, budget, registry } = appWithBudget();
  app.get('/v1/new', { config: { bounds: BOUNDS } }, async () => ({ text: 'x'.repeat(2 * MIB) }));
  const message = assertError(await app.inject('/v1/new'), 422, 'query_too_large');
  assert.match(message, /^the answer has \d+ bytes, 1048576 are allowed: ask for a shorter span/);
  assert.equal(budget.reservedBytes(), 0);
  assert.match(await registry.metrics(), /refused_total\{reason="too_large",service="query"\} 1/);
  await app.close();
});

test('an error is answered as it is, however few bytes an answer may have', async () => {
  const { app } = appWithBudget();
  app.get('/v1/new', { config: { bounds: { ...BOUNDS, bytes: 1 } } }, async () => {
    throw new HttpError('not_found', 'no such application');
  });
  const response = await app.inject('/v1/new');
  await app.close();
  assertError(response, 404, 'not_found');
});

async function untilLeft(_request: FastifyRequest, reply: FastifyReply): Promise<void> {
  await once(reply.raw, 'close');
}

test('nothing stays reserved for a caller that left while it waited', async () => {
  const { app, budget } = appWithBudget();
  const handled = Promise.withResolvers<void>();
  app.get('/v1/new', { config: { bounds: BOUNDS }, preHandler: untilLeft }, async () => {
    handled.resolve();
    return 'late';
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /v1/new HTTP/1.1\r\nHost: query\r\n\r\n');
  await once(app.server, 'request');
  socket.destroy();
  await handled.promise;
  await app.close();
  assert.equal(budget.reservedBytes(), 0);
});

test('where the budget is held by others, callers get 503 with Retry-After', async () => {
  const { app } = appWithBudget(4 * MIB);
  const held: (() => void)[] = [];
  app.get(
    '/v1/new',
    { config: { bounds: BOUNDS } },
    () => new Promise((resolve) => held.push(() => resolve('late'))),
  );
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const first = fetch(`http://127.0.0.1:${port}/v1/new`);
  while (held.length === 0) await new Promise(setImmediate);
  const refused = await fetch(`http://127.0.0.1:${port}/v1/new`);
  assertError({ statusCode: refused.status, body: await refused.text() }, 503, 'unavailable');
  assert.equal(refused.headers.get('retry-after'), '1');
  held[0]?.();
  assert.equal(await (await first).text(), 'late');
  await app.close();
});

test('the connection of an unread answer is closed, and what it held is released', async () => {
  const { app, budget, registry } = appWithBudget(64 * MIB, 300);
  const bounds = { ...BOUNDS, bytes: 15 * MIB };
  app.get('/v1/new', { config: { bounds } }, async () => ({ text: 'x'.repeat(14 * MIB) }));
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('GET /v1/new HTTP/1.1\r\nHost: query\r\n\r\n');
  const [connection] = await once(app.server, 'connection');
  await once(connection, 'close');
  while (budget.reservedBytes() > 0) await new Promise(setImmediate);
  assert.match(await registry.metrics(), /refused_total\{reason="answer_unread",service="query"\} 1/);
  socket.destroy();
  await app.close();
});
