import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { formatDuration, parseDuration } from '../duration.js';
import { duration, httpUrl, listOf, utcTime, wholeNumber } from '../value-types.js';

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

const MAINS = [
  'bench/collector/main.ts',
  'bench/freshness/main.ts',
  'bench/ingest/main.ts',
  'bundle/main.ts',
  'chaos/collector.ts',
  'chaos/fuzz.ts',
  'chaos/kill.ts',
  'run-tests.ts',
  'simulate-gateway/main.ts',
  'start-demo/main.ts',
].map((file) => fileURLToPath(new URL(`../../${file}`, import.meta.url)));

async function run(main: string, ...args: readonly string[]): Promise<Ended> {
  const node = ['--conditions=imscope-source', '--import', 'tsx', main, ...args];
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, node)) };
  } catch (error) {
    return error as Ended;
  }
}

test('every script explains its command line by --help, and refuses an option it does not have with code 2', async () => {
  for (const main of MAINS) {
    const help = await run(main, '--help');
    assert.equal(help.code, 0, main);
    assert.match(help.stdout, /^Usage: \S+.*\n\n[A-Z]/, main);
    const required = main.includes('simulate-gateway') ? ['--url', 'http://127.0.0.1:1'] : [];
    const { code, stderr } = await run(main, ...required, '--no-such-option');
    assert.equal(code, 2, main);
    assert.match(stderr, /unknown option '--no-such-option'\n\(--help lists all options\)/, main);
  }
});

test('a value that is not allowed is refused with the option, the value received and the values allowed', async () => {
  const main = fileURLToPath(new URL('../../start-demo/main.ts', import.meta.url));
  const { code, stderr } = await run(main, '--port', '70000');
  assert.equal(code, 2);
  assert.match(
    stderr,
    /option '--port <n>' argument '70000' is invalid\. Give a whole number from 1 to 65535\./,
  );
});

test('a whole number is read within its bounds, and nothing else', () => {
  const read = wholeNumber(1, 100);
  assert.deepEqual(['1', '007', '100'].map(read), [1, 7, 100]);
  for (const text of ['0', '101', '-1', '1.5', '1e1', '0x10', ' 5', '', '99999999999999999'])
    assert.throws(() => read(text), /Give a whole number from 1 to 100/, text);
});

test('a list keeps the order of its values', () => {
  const read = listOf(wholeNumber(1, 9));
  assert.deepEqual(read('2', read('1')), [1, 2]);
});

test('a duration is read in each unit, within its bounds', () => {
  assert.deepEqual(
    ['250ms', '60s', '5m', '2h', '6d', '1.5h'].map(parseDuration),
    [250, 60_000, 300_000, 7_200_000, 518_400_000, 5_400_000],
  );
  for (const text of ['60', 's', '-1s', '1 s', '1w', '1toString', ''])
    assert.equal(parseDuration(text), undefined, text);
  const read = duration(1_000, 3_600_000);
  assert.equal(read('1s'), 1_000);
  for (const text of ['999ms', '61m', 'soon'])
    assert.throws(() => read(text), /Give a duration from 1s to 1h, such as/, text);
  assert.deepEqual([250, 60_000, 90_000, 86_400_000, 0].map(formatDuration), [
    '250ms',
    '1m',
    '90s',
    '1d',
    '0ms',
  ]);
});

test('times are in UTC and addresses are of HTTP', () => {
  assert.equal(utcTime('2026-05-06T07:08:09Z'), Date.UTC(2026, 4, 6, 7, 8, 9));
  for (const text of ['2026-05-06', '2026-05-06T07:08:09+02:00', '2026-13-06T07:08:09Z'])
    assert.throws(() => utcTime(text), /a time in UTC/, text);
  assert.equal(httpUrl('http://127.0.0.1:8088'), 'http://127.0.0.1:8088');
  for (const text of ['ftp://host', 'host:80', '']) assert.throws(() => httpUrl(text), /http or https/, text);
});
