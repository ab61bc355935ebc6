/* Which of several values a field comes from, which values are no delay, and variables side by side. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessLogOptions } from '../src/access-log-options.js';
import { createAccessLogReader, DEFAULT_FORMATS } from '../src/access-log-record.js';
import { LogFormatError } from '../src/log-format-error.js';

const TARGET = '/v4/openim/sendmsg?sdkappid=1400000001&random=7';
const REQUEST = `POST ${TARGET} HTTP/1.1`;

function readerOf(text: string, more: Partial<AccessLogOptions> = {}) {
  return createAccessLogReader({
    formats: [{ text, escape: 'default' }],
    sdkAppId: undefined,
    codeVariable: undefined,
    node: undefined,
    region: undefined,
    ...more,
  });
}

function read(text: string, line: string, more: Partial<AccessLogOptions> = {}) {
  const record = readerOf(text, more).readFields(line);
  return 'ok' in record ? record.reason : record;
}

/** One field of the record, or why there is none. */
function field(
  name: 'time' | 'interface' | 'sdk_app_id' | 'exit_ip' | 'latency_ms' | 'upstream_ms' | 'request_id',
  text: string,
  line: string,
  more: Partial<AccessLogOptions> = {},
): unknown {
  const record = read(text, line, more);
  return typeof record === 'string' ? record : record[name];
}

const switched = (request: string, status: string, took: string): string =>
  `192.0.2.1 [1795881600.500] "${request}" ${status} ${took}`;

test('a request that switched to another protocol has no delay, however long the connection was open', () => {
  const format = '$remote_addr [$msec] "$request" $status $request_time';
  for (const took of ['0.020', '24388.248', '90000.100', '-']) {
    assert.equal(read(format, switched(`GET ${TARGET} HTTP/1.1`, '101', took)), 'protocol_switch');
  }
  assert.equal(read(format, switched('CONNECT im.example:443 HTTP/1.1', '200', '0.020')), 'protocol_switch');
  assert.equal(read(format, switched(`CONNECT ${TARGET} HTTP/2.0`, '200', '60.000')), 'protocol_switch');
  assert.equal(field('latency_ms', format, switched(REQUEST, '200', '0.020')), 20);
  const upstream = '$remote_addr $msec $request_method $request_uri "$upstream_status" $request_time';
  assert.equal(read(upstream, `192.0.2.1 1.000 GET ${TARGET} "502, 101" 60.000`), 'protocol_switch');
  assert.equal(read(upstream, `192.0.2.1 1.000 CONNECT ${TARGET} "200" 60.000`), 'protocol_switch');
  assert.equal(field('latency_ms', upstream, `192.0.2.1 1.000 GET ${TARGET} "101, 200" 0.020`), 20);
});

test('a duration is seconds with a fraction: a whole number is of another unit', () => {
  const apache = `192.0.2.1 - - [28/Nov/2026:16:00:00 +0000] "${REQUEST}" 200 61 "-" "curl" 23000`;
  const options = { formats: DEFAULT_FORMATS };
  assert.equal(read('', apache, options), 'invalid_duration');
  assert.equal(read('', apache.replace('23000', '0.023'), options) instanceof Object, true);
  const format = '$remote_addr $msec "$request" $request_time "$upstream_response_time"';
  const line = (took: string, upstream: string): string =>
    `192.0.2.1 1.000 "${REQUEST}" ${took} "${upstream}"`;
  for (const [took, upstream, expected] of [
    ['0.012', '0.010, 0.001', 11],
    ['0.012', '0.010 : 0.020', 30],
    ['0.012', '-, 0.100', 100],
    ['0.012', '0.100 : ', 100],
    ['0.012', '-, -', null],
    ['0.012', '', null],
    ['0.012', '11', 'invalid_duration'],
    ['0.012', '0.010, 11', 'invalid_duration'],
    ['12', '0.010', 'invalid_duration'],
    ['12', '-', 'invalid_duration'],
  ] as const) {
    assert.equal(field('upstream_ms', format, line(took, upstream)), expected, `${took} ${upstream}`);
  }
});

test('the most exact time that can be read holds: one that cannot costs none of the others', () => {
  const format = '$remote_addr "$msec" "$time_iso8601" "$time_local" "$request" $request_time';
  const exact = '1795881600.004';
  const iso = '2026-11-28T16:00:01+00:00';
  const local = '28/Nov/2026:16:00:02 +0000';
  const of = (msec: string, isoTime: string, localTime: string): unknown =>
    field('time', format, `192.0.2.1 "${msec}" "${isoTime}" "${localTime}" "${REQUEST}" 0.1`);
  assert.equal(of(exact, iso, local), 1_795_881_600_004);
  assert.equal(of('-', iso, local), 1_795_881_601_000);
  assert.equal(of('9999999999999', iso, local), 1_795_881_601_000);
  assert.equal(of('', '2026-13-28T16:00:01+00:00', local), 1_795_881_602_000);
  assert.equal(of('', '2026-13-28T16:00:01+00:00', '99/Nov/2026:16:00:02 +0000'), 'invalid_time');
});

const targetLine = (request: string, requestUri: string, uri: string, args: string, own: string): string =>
  `192.0.2.1 1.000 "${request}" "${requestUri}" "${uri}" "${args}" "${own}" 0.1`;

test('the first target that can be read holds, and the first application', () => {
  const format = '$remote_addr $msec "$request" "$request_uri" "$uri" "$args" "$arg_sdkappid" $request_time';
  for (const [given, expected] of [
    [targetLine(REQUEST, '/x', '/y', 'sdkappid=2', '-'), ['openim/sendmsg', 1_400_000_001]],
    [targetLine('-', TARGET, '/y', '', ''), ['openim/sendmsg', 1_400_000_001]],
    [targetLine('nonsense', '-', '/v4/a/b', 'sdkappid=2', '-'), ['a/b', 2]],
    [targetLine('POST /v4/a/b HTTP/1.1', '-', '-', 'sdkappid=2', '-'), ['a/b', 2]],
    [targetLine('POST /v4/a/b?c=d HTTP/1.1', '-', '-', 'sdkappid=2', '-'), ['a/b', 2]],
    [targetLine('POST /v4/a/b?sdkappid=x HTTP/1.1', '-', '-', 'sdkappid=2', 'y'), ['a/b', 2]],
    [targetLine(REQUEST, '-', '-', '-', 'x'), ['openim/sendmsg', 1_400_000_001]],
    [targetLine(REQUEST, '-', '-', '-', '5'), ['openim/sendmsg', 5]],
    [targetLine('POST /v4/a/b HTTP/1.1', '-', '-', '-', 'x'), 'invalid_application'],
    [targetLine('POST /v4/a/b HTTP/1.1', '-', '-', '', ''), 'missing_application'],
  ] as const) {
    const record = read(format, given);
    const got = typeof record === 'string' ? record : [record.interface, record.sdk_app_id];
    assert.deepEqual(got, expected, given);
  }
});

test('the address of a connection through a Unix socket is that of the PROXY protocol, never a forwarded one', () => {
  const format =
    '"$remote_addr" "$proxy_protocol_addr" "$http_x_forwarded_for" $msec "$request" $request_time';
  const of = (remote: string, proxied: string): unknown =>
    field('exit_ip', format, `"${remote}" "${proxied}" "203.0.113.9" 1.000 "${REQUEST}" 0.1`);
  assert.equal(of('198.51.100.7', '192.0.2.9'), '198.51.100.7');
  assert.equal(of('unix:', '192.0.2.9'), '192.0.2.9');
  assert.equal(of('unix:', ''), 'unix:');
  assert.equal(of('-', '-'), 'missing_address');
});

test('an id that is empty does not hide the one beside it', () => {
  const format = '$remote_addr $msec "$request" $request_time "$request_id" "$stgw_request_id"';
  const of = (first: string, second: string): unknown =>
    field('request_id', format, `192.0.2.1 1.000 "${REQUEST}" 0.1 "${first}" "${second}"`);
  assert.deepEqual([of('a', 'b'), of('-', 'b'), of('', 'b')], ['a', 'b', 'b']);
});

test('variables side by side are distinguished by their shapes where these differ', () => {
  const start = '192.0.2.1 1.000 0.012';
  const format = '$remote_addr $msec $request_time';
  for (const [text, value] of [
    ['"$scheme://$host$request_uri"', `"https://gw.example.net:8443${TARGET}"`],
    ['"$host$request_uri"', `"gw.example.net${TARGET}"`],
    ['$host$request_uri', `gw.example.net${TARGET}`],
    ['"$scheme://$http_host$request_uri"', `"https://gw.example.net:8443${TARGET}&u=http://a/b"`],
    ['$http_host$request_uri $status', `gw.example.net${TARGET} 200`],
    ['"$http_host$uri$is_args$args"', `"-${TARGET}"`],
    ['$server_name$request_uri', `gw.example.net${TARGET}`],
    ['"$ssl_server_name$request_uri" $hostname', `"gw.example.net${TARGET}" gw-1`],
    ['"$hostname$request_uri"', `"gw-1${TARGET}"`],
    ['"${host}${uri}" "$args"', '"gw/v4/openim/sendmsg" "sdkappid=1400000001"'],
    ['"$scheme://$host$uri$is_args$args"', `"http://gw${TARGET}"`],
    ['$uri$is_args$args $status', `${TARGET} 200`],
    ['"$request" "$http_a$http_b"', `"${REQUEST}" "ab"`],
    [
      '"$request_method$request_uri" "$uri" "$args"',
      `"POST${TARGET}" "/v4/openim/sendmsg" "sdkappid=1400000001"`,
    ],
    ['$time_local$msec "$request"', `28/Nov/2026:16:00:00 +00001795881600.004 "${REQUEST}"`],
  ] as const) {
    const record = read(`${format} ${text}`, `${start} ${value}`);
    assert.ok(typeof record === 'object', `${text}: ${JSON.stringify(record)}`);
    assert.deepEqual([record.interface, record.sdk_app_id], ['openim/sendmsg', 1_400_000_001], text);
  }
  const noArguments = read(`${format} $uri$is_args$args`, `${start} /users/list-`, { sdkAppId: 7 });
  assert.equal(typeof noArguments === 'object' && noArguments.interface, 'users/list');
});

test('where nothing tells two variables apart, that value alone is not used', () => {
  const reader = readerOf(
    '$remote_addr $msec "$request" $request_time "$http_a$request_id" $http_b$hostname',
  );
  const record = reader.readFields(`192.0.2.1 1.000 "${REQUEST}" 0.012 "abc" gw-1`);
  assert.ok(!('ok' in record));
  assert.deepEqual([record.latency_ms, record.request_id, record.node], [12, undefined, undefined]);
  assert.match(
    reader.unknown.join('\n'),
    /^\$request_id is not used.*\$http_a and \$request_id.*blank or a quote/,
  );
  assert.match(reader.unknown.join('\n'), /\$hostname is not used/);
});

test('a value that every record needs and that nothing tells apart is refused before the first line', () => {
  for (const [text, expected] of [
    ['$remote_addr $msec $request_time "$http_a$request"', /nothing stands between \$http_a and \$request/],
    ['$remote_addr$msec "$request" $request_time', /between \$remote_addr and \$msec.*blank or a quote/],
    ['$remote_addr $http_a$msec "$request" $request_time', /between \$http_a and \$msec.*a time/],
  ] as const) {
    assert.throws(
      () => readerOf(text),
      (error) => error instanceof LogFormatError && expected.test(error.message),
      text,
    );
  }
  assert.equal(readerOf('$remote_addr $msec "$request" $status$request_time').hasDuration, false);
});

test('a format with a line break inside is refused before the first line; blank lines around it are none', () => {
  const broken = '{\n  "ip": "$remote_addr",\n  "t": $msec\n}';
  assert.throws(
    () => readerOf(broken),
    (error) =>
      error instanceof LogFormatError &&
      /line break after "\{".*over 4 lines.*quotes of its own/.test(error.message),
  );
  for (const around of ['\n', '\r\n', '\n  \n']) {
    const format = `${around}$remote_addr $msec "$request" $request_time${around}`;
    assert.equal(field('latency_ms', format, `192.0.2.1 1.000 "${REQUEST}" 0.012`), 12);
  }
});
