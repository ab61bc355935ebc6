import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AccessLogOptions } from '../src/access-log-options.js';
import { createAccessLogReader, DEFAULT_FORMATS } from '../src/access-log-record.js';

/** The layer-7 load balancer's format, as DOMAIN gives it. */
const CLB =
  '[$stgw_request_id] [$time_local] [$protocol_type] [$server_addr:$server_port] [$server_name] [$remote_addr:$remote_port] [$status] [$upstream_addr] [$upstream_status] [$proxy_host] [$request] [$request_length] [$bytes_sent] [$http_host] [$http_user_agent] [$http_referer] [$request_time] [$upstream_response_time] [$upstream_connect_time] [$upstream_header_time] [$tcpinfo_rtt] [$connection] [$connection_requests] [$ssl_handshake_time] [$ssl_cipher] [$ssl_protocol] [$vip_vpcid] [$uri] [$server_protocol]';
const TARGET =
  '/v4/openim/sendmsg?sdkappid=1400000001&identifier=admin&usersig=eJyrVgrxCdYr&random=99&contenttype=json';
const REQUEST = `POST ${TARGET} HTTP/1.1`;

function read(line: string, options: Partial<AccessLogOptions> = {}): Record<string, unknown> | string {
  const { readRecord } = createAccessLogReader({
    formats: DEFAULT_FORMATS,
    sdkAppId: undefined,
    codeVariable: undefined,
    node: undefined,
    region: undefined,
    ...options,
  });
  const record = readRecord(line);
  return record.ok ? (JSON.parse(record.toJson(0)) as Record<string, unknown>) : record.reason;
}

const of = (text: string, escape: 'default' | 'json' | 'none' = 'default'): Partial<AccessLogOptions> => ({
  formats: [{ text, escape }],
});

test('a load balancer’s line becomes a record, by variable names', () => {
  const line = `[8d3a] [01/Jul/2019:11:11:00 +0800] [https] [10.0.0.1:443] [im.example.com] [203.0.113.9:51234] [200] [10.0.0.2:80] [200] [10.0.0.2] [${REQUEST}] [512] [256] [im.example.com] [Java/1.8 (x)] [-] [0.120] [0.100, 0.015] [0.001, 0.001] [0.1, 0.015] [15250] [12] [3] [0.000] [ECDHE-RSA] [TLSv1.2] [1.2.3.4_1] [/v4/openim/sendmsg] [HTTP/1.1]`;
  assert.deepEqual(read(line, of(CLB)), {
    time: Date.parse('2019-07-01T03:11:00Z'),
    sdk_app_id: 1_400_000_001,
    interface: 'openim/sendmsg',
    exit_ip: '203.0.113.9',
    latency_ms: 120,
    upstream_ms: 115,
    rtt_ms: 15.25,
    code: null,
    http_status: 200,
    request_id: '8d3a',
  });
});

test('the default format is combined followed by durations', () => {
  const combined = `198.51.100.7 - - [05/Mar/2024:00:00:01 +0000] "${REQUEST}" 502 0 "-" "curl/8 (\\x22quoted\\x22)"`;
  const base = {
    time: Date.parse('2024-03-05T00:00:01Z'),
    sdk_app_id: 1_400_000_001,
    interface: 'openim/sendmsg',
    exit_ip: '198.51.100.7',
    rtt_ms: null,
    code: null,
    http_status: 502,
  };
  assert.deepEqual(read(`${combined} 0.250`), { ...base, latency_ms: 250, upstream_ms: null });
  assert.deepEqual(read(`${combined} 0.250 0.001, 0.200`), { ...base, latency_ms: 250, upstream_ms: 201 });
  assert.equal(read(combined), 'missing_duration');
  assert.equal(read(`${combined} -`), 'missing_duration');
  assert.equal(read(`${combined} fast`), 'malformed_line');
});

test('each way to be no record has its reason', () => {
  const format = '$remote_addr|$time_iso8601|$status|$request_time|$upstream_http_x_im_code|$request';
  const options = { ...of(format), codeVariable: 'upstream_http_x_im_code' };
  const at = '2024-01-02T03:04:05+00:00';
  for (const [line, reason] of [
    [`-|${at}|200|0.1|0|${REQUEST}`, 'missing_address'],
    [`unix:|${at}|200|0.1|0|${REQUEST}`, 'invalid_ip'],
    [`192.0.2.1|${at}|999|0.1|0|${REQUEST}`, 'invalid_status'],
    [`192.0.2.1|${at}|200|-|0|${REQUEST}`, 'missing_duration'],
    [`192.0.2.1|${at}|200||0|${REQUEST}`, 'missing_duration'],
    [`192.0.2.1|${at}|200|0.1|often|${REQUEST}`, 'invalid_code'],
    [`192.0.2.1|${at}|200|0.1|99999999999|${REQUEST}`, 'invalid_code'],
    [`192.0.2.1|${at}|200|0.1|0|-`, 'malformed_request'],
    [`192.0.2.1|${at}|200|0.1|0|GET /health HTTP/1.1`, 'not_im_request'],
    [`192.0.2.1|${at}|200|0.1|0|POST /v4/openim/sendmsg HTTP/1.1`, 'missing_application'],
    [`192.0.2.1|${at}|200|0.1|0|POST /v4/openim/sendmsg?sdkappid=x HTTP/1.1`, 'invalid_application'],
    [`192.0.2.1|2024-13-45T99:00:00+00:00|200|0.1|0|${REQUEST}`, 'invalid_time'],
    [`192.0.2.1|yesterday|200|0.1|0|${REQUEST}`, 'malformed_line'],
  ] as const) {
    assert.equal(read(line, options), reason, line);
  }
});

const code = (value: string) =>
  read(`192.0.2.1|1704164645.678|0.1|${value}|${REQUEST}`, {
    ...of('$remote_addr|$msec|$request_time|$upstream_http_x_im_code|$request'),
    codeVariable: 'upstream_http_x_im_code',
  });

const codeOf = (value: string) => {
  const record = code(value);
  return typeof record === 'string' ? record : record['code'];
};

test('the code is the variable’s number, and null where there was none', () => {
  assert.deepEqual(['0', '70001', '-1', '-', ''].map(codeOf), [0, 70_001, -1, null, null]);
});

test('$msec gives milliseconds, exactly', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), (ms) => {
      const record = read(
        `192.0.2.1 ${(ms / 1000).toFixed(3)} 0.1 ${REQUEST}`,
        of('$remote_addr $msec $request_time $request'),
      );
      assert.equal(typeof record === 'object' && record['time'], ms);
    }),
  );
});

test('target and application are found in other variables too', () => {
  assert.deepEqual(
    [
      ['$remote_addr $msec $request_time $request_uri', `192.0.2.1 1.000 0.1 ${TARGET}`],
      [
        '$remote_addr $msec $request_time $uri $args',
        '192.0.2.1 1.000 0.1 /v4/openim/sendmsg a=b&sdkappid=1400000001',
      ],
      [
        '$remote_addr $msec $request_time $arg_sdkappid $uri',
        '192.0.2.1 1.000 0.1 1400000001 /v4/openim/sendmsg',
      ],
    ].map(([format = '', line = '']) => {
      const record = read(line, of(format));
      return typeof record === 'string' ? record : [record['sdk_app_id'], record['interface']];
    }),
    Array.from({ length: 3 }, () => [1_400_000_001, 'openim/sendmsg']),
  );
});

test('an application given holds for all lines', () => {
  const record = read('192.0.2.1 1.000 0.1 GET /users/42 HTTP/1.1', {
    ...of('$remote_addr $msec $request_time $request'),
    sdkAppId: 7,
    node: 'gw-1',
    region: 'eu',
  });
  assert.ok(typeof record === 'object');
  assert.deepEqual(
    [record['sdk_app_id'], record['interface'], record['node'], record['region']],
    [7, 'users/{id}', 'gw-1', 'eu'],
  );
});

test('identifier, usersig, random and anything else of a query never reach a record', () => {
  const secret = fc.stringMatching(/^[A-Za-z]{12,40}$/);
  fc.assert(
    fc.property(secret, secret, secret, (identifier, usersig, extra) => {
      const line = `192.0.2.1 1.000 0.1 POST /v4/openim/sendmsg?identifier=${identifier}&usersig=${usersig}&sdkappid=5&${extra}=${extra}#${extra} HTTP/1.1`;
      const text = JSON.stringify(read(line, of('$remote_addr $msec $request_time $request')));
      assert.match(text, /"sdk_app_id":5/);
      for (const word of [identifier, usersig, extra]) assert.ok(!text.includes(word), text);
    }),
  );
});

test('a shift moves the time and nothing else', () => {
  const { readRecord } = createAccessLogReader({
    formats: [{ text: '$remote_addr $msec $request_time $request', escape: 'default' }],
    sdkAppId: undefined,
    codeVariable: undefined,
    node: undefined,
    region: undefined,
  });
  const record = readRecord(`192.0.2.1 1.000 0.1 ${REQUEST}`);
  assert.ok(record.ok);
  assert.deepEqual(JSON.parse(record.toJson(5)), {
    ...(JSON.parse(record.toJson(0)) as object),
    time: 1_005,
  });
});

test('formats that lack what every record needs are refused before anything is read', () => {
  assert.throws(
    () => read('', of('$remote_addr "$request" $request_time')),
    /lacks a time.*it has: \$remote_addr/,
  );
  assert.throws(() => read('', of('$remote_addr $msec $request_time')), /lacks a request/);
  assert.throws(() => read('', of('$http_x_forwarded_for $msec $request')), /address.*remote_addr/);
  assert.throws(
    () => read('', { ...of('$remote_addr $msec $request'), codeVariable: 'code' }),
    /code variable.*\$code/,
  );
});
