import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileLogFormat } from '../src/log-format.js';
import type { Escape } from '../src/value-shapes.js';
import { escapeAsNginx } from './escape-as-nginx.js';
import { LogFormatError } from '../src/log-format-error.js';

function readAll(format: string, line: string, escape: Escape = 'default'): Record<string, unknown> | string {
  const { variables } = compileLogFormat(format, escape, []);
  const values = compileLogFormat(format, escape, variables).read(line);
  return typeof values === 'string'
    ? values
    : Object.fromEntries(variables.map((name, place) => [name, values[place]]));
}

const hostile = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom('"', ' ', ']', '[', '\\', 'x', '2', '-', ',', '\n', 'a', '0', '.'),
    maxLength: 30,
  }),
);

for (const escape of ['default', 'json'] as const) {
  test(`values in quotes come back whatever they are (escape=${escape})`, () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 8 }), (values) => {
        const format = values.map((_, place) => `"$http_x_${place}"`).join(' ');
        const line = values.map((value) => `"${escapeAsNginx(value.toWellFormed(), escape)}"`).join(' ');
        const wanted = values.map((_, place) => `http_x_${place}`);
        assert.deepEqual(
          compileLogFormat(format, escape, wanted).read(line),
          values.map((value) => value.toWellFormed()),
        );
      }),
      { numRuns: 500 },
    );
  });
}

test('a line is never read with other values than nginx wrote, whatever callers sent and whatever is between', () => {
  const separators = fc.constantFrom(' ', '] [', '"', '" "', ', ', '|', '\t', ' - ', ':', '","x":"');
  fc.assert(
    fc.property(
      fc.array(fc.tuple(hostile, separators), { minLength: 1, maxLength: 6 }),
      fc.constantFrom<Escape>('default', 'json', 'none'),
      (parts, escape) => {
        const wanted = parts.map((_, place) => `http_x_${place}`);
        const format = `<${wanted.map((name, place) => `$${name}${parts[place]?.[1]}`).join('')}>`;
        const written = parts.map(([value]) => value.toWellFormed());
        const line = `<${written.map((value, place) => `${escapeAsNginx(value, escape)}${parts[place]?.[1]}`).join('')}>`;
        const read = compileLogFormat(format, escape, wanted).read(line);
        if (read !== 'ambiguous_line') assert.deepEqual(read, written);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('numbers, lists, times and addresses are read beside each other, in any order', () => {
  const parts = {
    status: fc.constantFrom('200', '502', '000'),
    request_time: fc.constantFrom('0.000', '12.345', '-', ''),
    upstream_response_time: fc.constantFrom('0.1, 0.2', '-', '0.100 : 0.200', '1.000, -, 2.000 : 0.001', ''),
    time_local: fc.constantFrom('01/Jul/2019:11:11:00 +0800', '31/Dec/2024:23:59:59 -0330'),
    time_iso8601: fc.constantFrom('2019-07-01T11:11:00+08:00'),
    remote_addr: fc.constantFrom('192.0.2.7', '2001:db8::7', 'unix:'),
    remote_port: fc.constantFrom('1', '65535'),
    msec: fc.constantFrom('1561950660.123'),
    tcpinfo_rtt: fc.constantFrom('1234', '-'),
  };
  fc.assert(
    fc.property(
      fc.record(parts),
      fc.shuffledSubarray(Object.keys(parts), { minLength: 1 }),
      fc.constantFrom(' ', '|', '] [', ' "', ';'),
      (values, names, between) => {
        const given = new Map(Object.entries(values));
        const line = names.map((name) => given.get(name)).join(between);
        const read = readAll(names.map((name) => `$${name}`).join(between), line);
        assert.deepEqual(read, Object.fromEntries(names.map((name) => [name, given.get(name)])));
      },
    ),
    { numRuns: 500 },
  );
});

test('any text at all is read or refused, and never throws', () => {
  const format = compileLogFormat(
    '$remote_addr [$time_local] "$request" $http_a $http_b $status',
    'default',
    ['http_a'],
  );
  fc.assert(fc.property(hostile, (line) => void format.read(line)));
});

test('an address ends before its port, for IPv6 too', () => {
  assert.deepEqual(readAll('[$remote_addr:$remote_port]', '[2001:db8::1:5678]'), {
    remote_addr: '2001:db8::1',
    remote_port: '5678',
  });
});

test('braces end a name, and text may follow at once', () => {
  assert.deepEqual(readAll('${status}ms${request_time}s', '200ms0.5s'), {
    status: '200',
    request_time: '0.5',
  });
});

test('a header that imitates the rest of a line is refused, not believed', () => {
  const format = '[$http_user_agent] [$request_time] [$status]';
  const wanted = ['request_time', 'status'];
  const read = (agent: string) =>
    compileLogFormat(format, 'default', wanted).read(`[${agent}] [0.250] [200]`);
  assert.deepEqual(read('curl'), ['0.250', '200']);
  // Reads one way only: the imitation leaves values over that fit nowhere.
  assert.deepEqual(read('curl] [9.999] [500'), ['0.250', '200']);
  const open = compileLogFormat('[$http_user_agent] [$request_time] [$http_referer]', 'default', [
    'request_time',
  ]);
  assert.equal(open.read('[curl] [9.999] [x] [0.250] [-]'), 'ambiguous_line');
});

test('ways to read a line that agree on what is wanted are no ambiguity', () => {
  const format = compileLogFormat('[$http_user_agent] [$http_referer] [$status]', 'default', ['status']);
  assert.deepEqual(format.read('[a] [b] [c] [200]'), ['200']);
});

test('a line made of separators alone is given up after a bounded number of tries', () => {
  const names = Array.from({ length: 30 }, (_, place) => `http_x_${place}`);
  const format = compileLogFormat(names.map((name) => `$${name}`).join(' '), 'default', names);
  assert.equal(format.read(' '.repeat(60_000)), 'ambiguous_line');
  assert.equal(format.read(`${'a '.repeat(30_000)}b`), 'ambiguous_line');
  const dead = compileLogFormat(`${names.map((name) => `$${name}`).join(' ')}!`, 'default', names);
  assert.equal(dead.read(' '.repeat(60_000)), 'malformed_line');
});

test('a line with more ways to try than the bound is given up, although none may fit', () => {
  const format = compileLogFormat('$http_a $http_b $http_c $status', 'default', ['status']);
  assert.equal(format.read(`${'a '.repeat(20)}x`), 'malformed_line');
  assert.equal(format.read(`${'a '.repeat(60)}x`), 'ambiguous_line');
});

test('cut lines, other lines and empty lines do not fit', () => {
  const format = compileLogFormat('$remote_addr "$request" $status', 'default', ['status']);
  for (const line of [
    '',
    '192.0.2.1',
    '192.0.2.1 "GET / HT',
    '192.0.2.1 "GET /" 200 extra',
    '192.0.2.1 "GET /" 2x0',
  ]) {
    assert.equal(format.read(line), 'malformed_line', line);
  }
});

test('formats that cannot be read are refused with what to change', () => {
  for (const [format, message] of [
    ['no variables', /no variables/],
    ['$status costs 5$', /"\$" without/],
    [`$status ${'x'.repeat(20_000)}`, /at most 16384/],
  ] as const) {
    assert.throws(
      () => compileLogFormat(format, 'default', []),
      (error) => {
        assert.ok(error instanceof LogFormatError);
        assert.match(error.message, message);
        return true;
      },
    );
  }
});

function inseparableIn(format: string): string[] {
  const { variables } = compileLogFormat(format, 'default', []);
  return [...compileLogFormat(format, 'default', variables).inseparable.keys()];
}

test('a time is distinguished from any text right before it, other values are not', () => {
  assert.deepEqual(inseparableIn('$http_user_agent$time_iso8601 $status'), []);
  assert.deepEqual(inseparableIn('$http_user_agent$time_local $status'), []);
  assert.deepEqual(inseparableIn('$http_user_agent$request_time $status'), [
    'http_user_agent',
    'request_time',
  ]);
});

test('a value does not end in the middle of an escape', () => {
  assert.deepEqual(readAll('${http_a}n$http_b', String.raw`1\n2n3`, 'json'), { http_a: '1\n2', http_b: '3' });
  assert.deepEqual(readAll('${http_x}n${status}', String.raw`a\nbn200`, 'json'), {
    http_x: 'a\nb',
    status: '200',
  });
  for (const name of ['http_x', 'host', 'request_uri'])
    assert.equal(readAll(`\${${name}}n\${status}`, String.raw`/\n200`, 'json'), 'malformed_line');
});
