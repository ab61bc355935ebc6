/*
 * Lines as nginx writes them: its own values, with the lists that retries make, beside values that callers choose.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileLogFormat } from '../src/log-format.js';
import type { Escape } from '../src/value-shapes.js';
import { escapeAsNginx } from './escape-as-nginx.js';

const SEED = 20_261_128;

type Written = Readonly<Record<string, string>>;

const ADDRESSES = [
  '192.0.2.10:8080',
  '[2001:db8::9]:8080',
  'unix:/run/im.sock',
  'backend',
  'im-1.example:80',
];
const attempt = fc.record({
  upstream_addr: fc.constantFrom(...ADDRESSES),
  upstream_status: fc.constantFrom('200', '502', '-'),
  upstream_response_time: fc.constantFrom('0.011', '1.001', '12.000', '-'),
  upstream_connect_time: fc.constantFrom('0.000', '-'),
  upstream_response_length: fc.constantFrom('0', '61', '-'),
});
type Attempt = typeof attempt extends fc.Arbitrary<infer T> ? T : never;
const LISTS: readonly (keyof Attempt)[] = [
  'upstream_addr',
  'upstream_status',
  'upstream_response_time',
  'upstream_connect_time',
  'upstream_response_length',
];

/** The lists of one request: as many items in each, with the same separators; sometimes nothing after the last. */
const upstreams = fc
  .record({
    attempts: fc.array(attempt, { maxLength: 4 }),
    groups: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    redirectedAtEnd: fc.nat(9).map((tenth) => tenth === 0),
  })
  .map(({ attempts, groups, redirectedAtEnd }): Written => {
    const listOf = (name: keyof Attempt): string => {
      const list = attempts.map((each, index) => {
        const separator = groups[index] === true ? ' : ' : ', ';
        return each[name] + (index === attempts.length - 1 ? '' : separator);
      });
      return attempts.length === 0 ? '-' : list.join('') + (redirectedAtEnd ? ' : ' : '');
    };
    return Object.fromEntries(LISTS.map((name) => [name, listOf(name)]));
  });

const ownValues = fc
  .record({
    status: fc.constantFrom('200', '502', '000'),
    request_time: fc.constantFrom('0.012', '3.002'),
    msec: fc.constantFrom('1795881600.004', '1795881601.120'),
    time_local: fc.constantFrom('28/Nov/2026:16:00:00 +0000'),
    remote_addr: fc.constantFrom('198.51.100.7', '2001:db8::7', 'unix:'),
    remote_port: fc.constantFrom('5', '65535'),
    scheme: fc.constantFrom('http', 'https'),
    body_bytes_sent: fc.constantFrom('0', '61'),
    request_id: fc.constantFrom('00ff00ff00ff00ff00ff00ff00ff00ff'),
    request_completion: fc.constantFrom('OK', ''),
    upstream_cache_status: fc.constantFrom('-', 'MISS'),
    server_name: fc.constantFrom('im.example.net', '_'),
    ssl_client_verify: fc.constantFrom('NONE', 'FAILED:unable to verify the first certificate', '-'),
    proxy_upstream_name: fc.constantFrom('default-im-8080', ''),
    pipe: fc.constantFrom('p', '.'),
  })
  .chain((own) => upstreams.map((lists): Written => ({ ...own, ...lists })));

/** Imitates the values after it, or continues the one before it. */
const hostile = fc.oneof(
  fc.constantFrom('curl/8', 'Mozilla/5.0 (X11; Linux)', '-', ''),
  fc.constantFrom(
    ', 9.999',
    ': 9.999 x',
    ' : 9.999',
    '200 9.999 x',
    '9 200 0.001, 0.002 x',
    'unix:/a, b : c 1.000',
    '1795881600.004 0.001',
    '] [200] [9.999',
    '/v4/a/b?c=/d 200',
    '?/x',
  ),
  fc.string({ unit: fc.constantFrom(...Array.from('019.,: -"/?[]\\xaé\n')), maxLength: 20 }),
);
const chosenValues = fc.record({
  http_user_agent: hostile,
  http_x: hostile,
  args: hostile,
  remote_user: hostile,
  request_method: hostile,
  uri: hostile.map((text) => `/${text}`),
  request_uri: fc.oneof(
    hostile.map((text) => `/${text}`),
    hostile.map((text) => `?${text}`),
    fc.constant(''),
  ),
  host: hostile.map((text) => text.replaceAll(/[/\s]/g, '')),
});

const values = ownValues.chain((own) => chosenValues.map((chosen): Written => ({ ...own, ...chosen })));
const NAMES = [
  ...LISTS,
  ...'status request_time msec time_local remote_addr remote_port scheme body_bytes_sent request_id'.split(
    ' ',
  ),
  ...'request_completion upstream_cache_status server_name ssl_client_verify proxy_upstream_name pipe'.split(
    ' ',
  ),
  ...'http_user_agent http_x args remote_user request_method uri request_uri host'.split(' '),
];
const OWN_NAMES = NAMES.slice(0, -8);

function lineOf(format: string, written: Written, escape: Escape): string {
  return format.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => escapeAsNginx(written[name] ?? '', escape));
}

const formatOf = (parts: readonly (readonly [string, string])[]): string =>
  parts.map(([name, after]) => `\${${name}}${after}`).join('');

test('a value that is read is the one nginx wrote, whatever callers sent and whatever is between, or nothing', () => {
  const separators = fc.constantFrom(
    ' ',
    ' ',
    ' ',
    '] [',
    ', ',
    ' : ',
    ':',
    '|',
    '"',
    '" "',
    '',
    '',
    '/',
    '?',
  );
  let read = 0;
  fc.assert(
    fc.property(
      values,
      fc
        .shuffledSubarray(NAMES, { minLength: 2, maxLength: 8 })
        .chain((names) => fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), separators)))),
      fc.constantFrom<Escape>('default', 'json', 'none'),
      (written, parts, escape) => {
        const format = `<${formatOf(parts)}>`;
        const names = parts.map(([name]) => name);
        const got = compileLogFormat(format, escape, names).read(lineOf(format, written, escape));
        if (got === 'ambiguous_line') return;
        assert.ok(typeof got !== 'string', format);
        for (const [place, name] of names.entries()) {
          // A part of several values side by side may stay unknown.
          if (got[place] === undefined) continue;
          read += 1;
          assert.equal(got[place], written[name], `${name} of ${format}`);
        }
      },
    ),
    { numRuns: 6_000, seed: SEED },
  );
  assert.ok(read > 10_000, `only ${read} values were read`);
});

test('values that nginx alone writes are read with a blank between, in any order, whatever the retries', () => {
  fc.assert(
    fc.property(
      ownValues,
      fc.shuffledSubarray(
        OWN_NAMES.filter((name) => name !== 'ssl_client_verify'),
        { minLength: 1 },
      ),
      (written, names) => {
        const format = names.map((name) => `\${${name}}`).join(' ');
        const got = compileLogFormat(format, 'default', names).read(lineOf(format, written, 'default'));
        assert.deepEqual(
          got,
          names.map((name) => written[name]),
        );
      },
    ),
    { numRuns: 2_000, seed: SEED },
  );
});

const readOne = (format: string, line: string, name: string): unknown => {
  const got = compileLogFormat(format, 'default', [name]).read(line);
  return typeof got === 'string' ? got : got[0];
};

test('lists between the separators of lists end where all lists have as many items', () => {
  const format = '$upstream_addr, $upstream_status, $upstream_response_time, $request_time';
  const line = '192.0.2.1:80, 192.0.2.2:80, 502, 200, 0.050, 0.010, 0.061';
  assert.equal(readOne(format, line, 'upstream_response_time'), '0.050, 0.010');
  assert.equal(readOne(format, line, 'request_time'), '0.061');
  const groups = '$upstream_addr : $upstream_response_time : $http_x';
  assert.equal(readOne(groups, 'a : b : 0.1 : 0.2 : x', 'upstream_response_time'), '0.1 : 0.2');
});

test('what a caller sends does not lengthen the list before it', () => {
  const format = '$upstream_response_time $http_x';
  assert.equal(readOne(format, '0.010 curl', 'upstream_response_time'), '0.010');
  assert.equal(readOne(format, '0.010 : 9.999 curl', 'upstream_response_time'), 'ambiguous_line');
  assert.equal(readOne('${status}$http_x', '2005', 'status'), undefined);
});

test('a retry after an internal redirect that had no upstream leaves a separator at the end', () => {
  const format = '$upstream_addr $upstream_response_time $request_time';
  assert.equal(readOne(format, 'a:80 :  0.010 :  0.061', 'upstream_response_time'), '0.010 : ');
});

test('the ingress controller’s format is read, with retries and an id that the caller chose', () => {
  const format =
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id';
  const line =
    '198.51.100.7 - - [28/Nov/2026:16:00:01 +0000] "POST /v4/a/b HTTP/1.1" 200 61 "-" "curl" 512 0.061 [default-im-80] [] 10.0.0.1:80, 10.0.0.2:80 0, 61 0.050, 0.010 502, 200 my id : 1';
  assert.equal(readOne(format, line, 'upstream_response_time'), '0.050, 0.010');
  assert.equal(readOne(format, line, 'request_time'), '0.061');
});
