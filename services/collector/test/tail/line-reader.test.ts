import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLB_FORMATS } from '@imscope/access-log/access-log-record.js';
import fc from 'fast-check';
import { isRejection } from '../../src/intake/reject-reasons.js';
import { createLineReader } from '../../src/tail/line-reader.js';

const SEED = 20_261_127;
const MARK = 'S3CRET';

const readerOf = (form: 'nginx' | 'clb' | 'ndjson') =>
  createLineReader(form, {
    formats: undefined,
    sdkAppId: undefined,
    codeVariable: undefined,
    node: undefined,
    region: undefined,
  }).readLine;

const FORMS = CLB_FORMATS.map(({ text }) => text.match(/\$\w+/g)?.map((name) => name.slice(1)) ?? []);
const ORDINARY: Readonly<Record<string, string>> = {
  stgw_request_id: 'id-1',
  time_local: '01/Jul/2019:11:11:00 +0800',
  server_addr: '10.0.0.1',
  server_port: '443',
  remote_addr: '203.0.113.9',
  remote_port: '51234',
  status: '200',
  upstream_status: '200',
  request_time: '0.120',
  upstream_response_time: '0.100, 0.010',
  upstream_connect_time: '0.001',
  upstream_header_time: '0.1',
  tcpinfo_rtt: '15250',
  request_length: '512',
  bytes_sent: '256',
  connection: '12',
  connection_requests: '3',
  ssl_handshake_time: '0.000',
  vip_vpcid: '1.2.3.4_1',
  uri: '/v4/openim/sendmsg',
  server_protocol: 'HTTP/1.1',
  ssl_session_reused: 'r',
};

/** What callers choose: with brackets and spaces, and whatever else imitates fields behind it. */
const chosen = fc.oneof(
  fc.constant('Java'),
  fc.string({ unit: fc.constantFrom(...Array.from('] [a0.-:HTP/1r')), maxLength: 30 }),
  fc.constantFrom('x] [-] [9.999', 'a] [b] [9.9] [9.9] [9.9] [9.9] [1', '] [', 'HTTP/1.1] [/v4/a/b'),
);

test('a load balancer’s line is read as it was written or not at all, whatever callers put into it, in every format', () => {
  const readLine = readerOf('clb');
  let read = 0;
  fc.assert(
    fc.property(fc.nat(FORMS.length - 1), chosen, chosen, chosen, (form, agent, referer, host) => {
      const values: Record<string, string> = {
        ...ORDINARY,
        http_user_agent: agent,
        http_referer: referer,
        http_host: host,
        request: `POST /v4/openim/sendmsg?sdkappid=7&usersig=${MARK} HTTP/1.1`,
      };
      const text = CLB_FORMATS[form]?.text ?? '';
      const line = Buffer.from(text.replaceAll(/\$(\w+)/g, (_, name: string) => values[name] ?? '-'));
      const record = readLine(line, 0, line.length);
      if (isRejection(record)) return;
      read += 1;
      const { time, exit_ip, sdk_app_id, latency_ms, upstream_ms, http_status } = Object(record) as Record<
        string,
        unknown
      >;
      assert.deepEqual(
        { time, exit_ip, sdk_app_id, latency_ms, upstream_ms, http_status },
        {
          time: Date.parse('2019-07-01T03:11:00Z'),
          exit_ip: '203.0.113.9',
          sdk_app_id: 7,
          latency_ms: 120,
          upstream_ms: 110,
          http_status: 200,
        },
      );
    }),
    { numRuns: 3_000, seed: SEED },
  );
  assert.ok(read > 300, `only ${read} lines were read`);
});

test('any bytes are a record or refused with a reason, in every format, with nothing of them in the refusal', () => {
  const readers = [readerOf('nginx'), readerOf('clb'), readerOf('ndjson')];
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text)),
    fc.json().map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(bytes, fc.constantFrom(...readers), (given, readLine) => {
      const line = Buffer.concat([Buffer.from(MARK), given]);
      const start = given.length % 2 === 0 ? 0 : MARK.length;
      const record = readLine(line, start, line.length);
      if (isRejection(record)) assert.ok(!JSON.stringify(record).includes(MARK));
      else assert.equal(typeof record, 'object');
    }),
    { numRuns: 3_000, seed: SEED },
  );
});
