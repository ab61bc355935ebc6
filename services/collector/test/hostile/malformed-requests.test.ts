import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { READ_TOKEN, runCollector, type RunningCollector, WRITE_TOKEN } from '../running-collector.js';
import { sampleRecord } from '../sample-record.js';
import { exchange, head } from './raw-client.js';

let collector: RunningCollector;
let good = '';
/** The Content-Length of `good`. */
let length = '';

before(async () => {
  collector = await runCollector();
  good = JSON.stringify(sampleRecord({ time: Date.now() }));
  length = `Content-Length: ${good.length}`;
});

after(() => collector.remove());

type Case = readonly [what: string, pieces: () => readonly (string | Buffer)[]];

const chunked = (): string => head('Transfer-Encoding: chunked');
const chunks = (): string => `${good.length.toString(16)}\r\n${good}\r\n0\r\n\r\n`;
const at = (path: string): string => head(length).replace('/v1/request-logs', path);
const speaking = (version: string): string => head(length).replace('HTTP/1.1', version);
const named = (count: number): string[] => Array.from({ length: count }, (_, n) => `X-${n}: a`);

/** Answered with an error that ends the connection, for nobody can tell where the next request would begin. */
const UNREADABLE: Readonly<Record<string, readonly Case[]>> = {
  '400 malformed_request': [
    ['Content-Length and Transfer-Encoding', () => [head(length, 'Transfer-Encoding: chunked'), chunks()]],
    ['Content-Length twice', () => [head(length, length), good]],
    ['two lengths in one header', () => [head(`${length}, ${good.length}`), good]],
    ['a negative length', () => [head('Content-Length: -1'), good]],
    ['a length of twenty digits', () => [head(`Content-Length: ${'9'.repeat(20)}`), good]],
    ['a length with a sign', () => [head(`Content-Length: +${good.length}`), good]],
    ['a length in hex', () => [head('Content-Length: 0x10'), good]],
    ['a chunk size that is no number', () => [chunked(), 'zz\r\nabc\r\n0\r\n\r\n']],
    ['a negative chunk size', () => [chunked(), '-1\r\nabc\r\n0\r\n\r\n']],
    ['a chunk size beyond 64 bits', () => [chunked(), `${'f'.repeat(17)}\r\nabc\r\n0\r\n\r\n`]],
    ['a chunk longer than its size', () => [chunked(), '2\r\nabcdef\r\n0\r\n\r\n']],
    ['chunks with bare LF', () => [chunked(), chunks().replaceAll('\r\n', '\n')]],
    ['chunked not last', () => [head('Transfer-Encoding: chunked, gzip'), chunks()]],
    ['a coding named like chunked', () => [head('Transfer-Encoding: xchunked'), chunks()]],
    ['a space before the colon', () => [head('Transfer-Encoding : chunked'), chunks()]],
    ['bare LF line ends', () => [head(length).replaceAll('\r\n', '\n'), good]],
    ['bare CR line ends', () => [head(length).replaceAll('\r\n', '\r'), good]],
    ['CR in a value', () => [head(length, 'X-A: a\rb'), good]],
    ['a line ended by bare LF', () => [head(length, 'X-A: a\nX-B: b'), good]],
    ['a folded line', () => [head(length, 'X-A: a\r\n b'), good]],
    ['a folded first line', () => ['POST /v1/request-logs HTTP/1.1\r\n Host: x\r\n\r\n']],
    ['NUL in a name', () => [head(length, 'X\0A: a'), good]],
    ['NUL in a value', () => [head(length, 'X-A: a\0b'), good]],
    ['a header without a name', () => [head(length, ': a'), good]],
    ['a header without a colon', () => [head(length, 'abc'), good]],
    ['a space in the path', () => [at('/v1/request logs'), good]],
    ['an unknown method', () => [head(length).replace('POST', 'BREW'), good]],
    ['a method in small letters', () => [head(length).replace('POST', 'post'), good]],
    ['HTTP/0.9', () => ['GET /\r\n\r\n']],
    ['HTTP/1.2', () => [speaking('HTTP/1.2'), good]],
    ['HTTP/2.0', () => [speaking('HTTP/2.0'), good]],
    ['another protocol', () => [speaking('ICE/1.0'), good]],
    ['the preface of HTTP/2', () => ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']],
    ['a TLS hello', () => [Buffer.from('16030100a5010000a10303', 'hex')]],
    ['a percent sign without digits in the path', () => [at('/%zz'), good]],
    ['chunked over HTTP/1.0', () => [chunked().replace('1.1', '1.0'), chunks()]],
  ],
  '413 body_too_large': [
    ['a chunk with an endless extension', () => [chunked(), `1;${'a'.repeat(20_000)}\r\nx\r\n0\r\n\r\n`]],
  ],
  '431 headers_too_large': [
    ['a header of 17 kB', () => [head(length, `X-A: ${'a'.repeat(17_000)}`), good]],
    ['a header of 1 MB', () => [head(length, `X-A: ${'a'.repeat(1_000_000)}`), good]],
    ['a path of 20 kB', () => [at(`/${'a'.repeat(20_000)}`), good]],
    ['trailers of 40 kB', () => [chunked(), chunks().replace(/\r\n$/, `A: ${'x'.repeat(40_000)}\r\n\r\n`)]],
    ['101 headers', () => [head(length, ...named(101)), good]],
    ['3,000 headers', () => [head(...Array.from({ length: 3_000 }, () => 'a:'), length), good]],
  ],
  '400 malformed_request, read to its end': [
    ['no Host', () => [head(length).replace('Host: collector\r\n', ''), good]],
    ['two Hosts', () => [head(length, 'Host: other'), good]],
    ['two tokens', () => [head(length, `Authorization: Bearer ${READ_TOKEN}`), good]],
    ['two content types', () => [head(length, 'Content-Type: text/plain'), good]],
    ['two idempotency keys', () => [head(length, 'Idempotency-Key: a', 'Idempotency-Key: b'), good]],
    ['gzip as a transfer encoding', () => [head('Transfer-Encoding: gzip, chunked'), chunks()]],
    ['chunked twice', () => [head('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'), chunks()]],
  ],
  '417 expectation_failed': [['another expectation', () => [head(length, 'Expect: coffee'), good]]],
  '405 method_not_allowed': [
    ['GET', () => [head().replace('POST', 'GET')]],
    ['TRACE', () => [head().replace('POST', 'TRACE')]],
    ['PUT', () => [head(length).replace('POST', 'PUT'), good]],
    [
      'PUT with a query and a percent-encoding',
      () => [at('/v1/request%2Dlogs?a=1').replace('POST', 'PUT'), good],
    ],
  ],
  '404 not_found': [
    ['CONNECT', () => ['CONNECT example:443 HTTP/1.1\r\nHost: example\r\n\r\n']],
    ['an asterisk for a path', () => [at('*'), good]],
    ['an absolute address of another scheme', () => [at('gopher://elsewhere/v1/request-logs'), good]],
    ['a path with dots', () => [at('/v1/../v1/request-logs'), good]],
  ],
};

for (const [answer, cases] of Object.entries(UNREADABLE)) {
  test(`answered ${answer}, once, in the one form of errors, and the connection is closed`, async () => {
    const accepted = await collector.metric('records_accepted_total');
    for (const [what, pieces] of cases) {
      const { answers, isClosed } = await exchange(collector.url, pieces());
      assert.deepEqual(
        answers.map(({ status, code }) => `${status} ${code}`),
        [answer.split(',')[0]],
        what,
      );
      assert(isClosed, what);
      assert.match(answers[0]?.headers ?? '', /^content-type: application\/json/im, what);
    }
    assert.equal(await collector.metric('records_accepted_total'), accepted);
  });
}

test('unusual but unambiguous requests are accepted', async () => {
  const cases: readonly Case[] = [
    ['HTTP/1.0', () => [speaking('HTTP/1.0'), good]],
    ['an absolute address', () => [at('http://elsewhere/v1/request-logs'), good]],
    [
      'a path with a fragment and a query of 8 kB',
      () => [at(`/v1/request-logs?${'a'.repeat(8_000)}#b`), good],
    ],
    ['empty lines before the request', () => ['\r\n\r\n', head(length), good]],
    [
      'chunks, and trailers that count for nothing',
      () => [chunked(), chunks().replace(/\r\n$/, 'Authorization: x\r\n\r\n')],
    ],
    ['a wish for another protocol', () => [head(length, 'Connection: Upgrade', 'Upgrade: websocket'), good]],
    [
      'a wish for HTTP/2',
      () => [head(length, 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: x'), good],
    ],
    ['bytes beyond ASCII in a header', () => [head(length, 'X-A: \u00E4\u00FF'), good]],
  ];
  for (const [what, pieces] of cases) {
    const { answers } = await exchange(collector.url, pieces(), 1);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [202],
      what,
    );
  }
});

test('a pipelined request is answered separately and in order, and malformed bytes there end the connection', async () => {
  const hidden = await exchange(
    collector.url,
    [head(length), good, 'GET /admin HTTP/1.1\r\nHost: a\r\n\r\n'],
    2,
  );
  assert.deepEqual(
    hidden.answers.map(({ status }) => status),
    [202, 404],
  );
  const rubbish = await exchange(collector.url, [head(length), good, 'rubbish\r\n\r\n']);
  assert.deepEqual(
    rubbish.answers.map(({ status, code }) => [status, code]),
    [
      [202, undefined],
      [400, 'malformed_request'],
    ],
  );
  assert(rubbish.isClosed);
  const cut = await exchange(collector.url, [head(`Content-Length: ${good.length - 1}`), good]);
  assert.deepEqual(
    cut.answers.map(({ code }) => code),
    ['unreadable_body', 'malformed_request'],
  );
});

test('100 Continue is sent once the token was found valid, and never otherwise', async () => {
  const waiting = head(length, 'Expect: 100-continue');
  const asked = await exchange(collector.url, [waiting], 1);
  assert.deepEqual(
    asked.answers.map(({ status }) => status),
    [100],
  );
  const taken = await exchange(collector.url, [waiting, good], 2);
  assert.deepEqual(
    taken.answers.map(({ status }) => status),
    [100, 202],
  );
  const refused = await exchange(collector.url, [waiting.replace(WRITE_TOKEN, 'unknown-token-0000001')], 1);
  assert.deepEqual(
    refused.answers.map(({ status, code }) => [status, code]),
    [[401, 'invalid_token']],
  );
});

test('protocol errors are counted by code and by status', async () => {
  const before = await collector.metric('protocol_errors_total');
  const requests = await collector.metric('requests_total');
  await exchange(collector.url, ['rubbish\r\n\r\n']);
  assert.equal((await collector.metric('protocol_errors_total')) - before, 1);
  assert.equal((await collector.metric('requests_total')) - requests, 1);
  assert.equal(await collector.metric('buffered_bytes'), 0);
});
