import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileFastReader } from '../src/fast-reader.js';
import { searchLine } from '../src/line-search.js';
import { parseFormat } from '../src/format-segments.js';
import type { Escape } from '../src/value-shapes.js';
import { shapeOf } from '../src/log-variables.js';

const SEED = 20_261_125;
const NAMES = [
  'status',
  'request_time',
  'upstream_response_time',
  'time_local',
  'time_iso8601',
  'msec',
  'remote_addr',
  'remote_port',
  'request',
  'http_user_agent',
  'http_referer',
  'request_id',
  'server_protocol',
  'upstream_addr',
  'upstream_status',
  'scheme',
  'server_name',
  'server_addr',
  'server_port',
  'host',
  'request_uri',
  'ssl_client_verify',
];
const SEPARATORS = [
  ' ',
  '] [',
  '"',
  '" "',
  ', ',
  '|',
  ':',
  ' - ',
  '-',
  '.',
  ' : ',
  '1',
  'Z',
  '\\',
  '","x":"',
  '',
  '/',
];
/** What nginx writes for a variable, mostly. */
const TYPICAL: Readonly<Record<string, readonly string[]>> = {
  status: ['200', '-', '000'],
  request_time: ['0.250', '-', ''],
  upstream_response_time: ['0.1, 0.2 : -', '1.000, -', '0.120', ''],
  time_local: ['01/Jul/2019:11:11:00 +0800', '02/Jul/2019:11:11:00 +0800'],
  time_iso8601: ['2019-07-01T11:11:00.5+08:00', '2019-07-01T11:11:00Z'],
  msec: ['1561950660.123'],
  remote_addr: ['192.0.2.7', '2001:db8::7', 'unix:'],
  remote_port: ['5', '-', ''],
  upstream_addr: ['192.0.2.1:80', '[2001:db8::9]:80, unix:/a b', 'backend : ', '-', 'a, b : c'],
  upstream_status: ['200', '502, 200', '502 : 200', '-'],
  server_addr: ['10.0.0.1', 'unix:/run/a_b.sock', '2001:db8::1'],
  server_port: ['443', '-', ''],
  scheme: ['http', 'https'],
  host: ['gw.example.net', 'a?b', ''],
  request_uri: ['/v4/a/b?c=d', '?c', '-', ''],
};
const TEXTS = [
  '',
  '-',
  'GET / HTTP/1.1',
  'curl] [9.999] [500',
  'a" "b',
  'é\u00a0x',
  '\\"',
  'x\\x22y',
  '1: 2',
];
const noise = fc.oneof(
  fc.constantFrom(...TEXTS),
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789.-:, "][\\Zax\t é')), maxLength: 12 }),
);

const variable = fc.constantFrom(...NAMES).chain((name) => {
  const typical = TYPICAL[name];
  const value =
    typical === undefined ? noise : fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...typical) }, noise);
  return fc.tuple(fc.constant(name), fc.constantFrom(...SEPARATORS), value);
});

/** A format, and a line that is more or less one of that format. */
const cases = fc.array(variable, { minLength: 1, maxLength: 7 }).chain((parts) =>
  fc.record({
    parts: fc.constant(parts),
    open: fc.boolean(),
    around: fc.constantFrom('', '[', '"', '<'),
    tail: fc.constantFrom('', '', '', '', ' ', '] [', 'x'),
  }),
);

for (const escape of ['default', 'json', 'none'] as const satisfies Escape[]) {
  test(`what is read from left to right is what the search of all ways finds (escape=${escape})`, () => {
    let read = 0;
    fc.assert(
      fc.property(cases, fc.array(fc.nat(12)), ({ parts, open, around, tail }, wantedNames) => {
        const ends = parts.map(([, separator], index) =>
          open && index === parts.length - 1 ? '' : separator,
        );
        const text = around + parts.map(([name], index) => `\${${name}}${ends[index]}`).join('');
        const line = around + parts.map(([, , value], index) => value + ends[index]).join('') + tail;
        const { prefix, segments } = parseFormat(text, escape);
        const wanted = wantedNames.map((at) => segments.findIndex(({ name }) => name === NAMES[at]));
        const fast = compileFastReader(prefix, segments, wanted)(line);
        if (fast === undefined) return;
        read += 1;
        assert.deepEqual(fast, searchLine(line, prefix, segments, wanted));
      }),
      { numRuns: 20_000, seed: SEED },
    );
    assert.ok(read > 4_000, `only ${read} lines were read from left to right`);
  });
}

test('values end where the pattern of their shape says', () => {
  const text = fc.string({
    unit: fc.constantFrom(...Array.from('0123456789.-:, +TZ/JulDec"é')),
    maxLength: 40,
  });
  const mixed = fc.tuple(text, noise, text).map((three) => three.join(''));
  fc.assert(
    fc.property(fc.constantFrom(...NAMES), mixed, fc.nat(40), (name, line, from) => {
      const shape = shapeOf(name);
      const at = Math.min(from, line.length);
      if (shape === undefined) return;
      const found = shape.scan(line, at);
      shape.pattern.lastIndex = at;
      const end = shape.pattern.test(line) ? shape.pattern.lastIndex : -1;
      if (found !== -1) assert.equal(found, end, `${name} in ${JSON.stringify(line)} from ${at}`);
    }),
    { numRuns: 20_000, seed: SEED },
  );
});
