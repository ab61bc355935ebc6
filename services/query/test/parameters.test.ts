import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openQueryWithoutStore, READ_ALL } from './query-under-test.js';
import { addressOf, assertError } from './read-answer.js';

const query = await openQueryWithoutStore();

const OVERVIEW = 'applications/101/overview';

const refusals: [what: string, path: string, query: Record<string, string | string[]>, says: RegExp][] = [
  ['a word that is no time', OVERVIEW, { from: 'yesterday' }, /^from is "yesterday": give RFC 3339/],
  ['a day that does not exist', OVERVIEW, { from: '2026-02-30T00:00:00Z' }, /from is "2026-02-30/],
  ['a month that does not exist', OVERVIEW, { to: '2026-13-01T00:00:00Z' }, /to is "2026-13/],
  ['a time given twice', OVERVIEW, { from: ['now-1h', 'now-2h'] }, /^from is \["now-1h","now-2h"\]/],
  ['from after to', OVERVIEW, { from: 'now-1h', to: 'now-2h' }, /is not before to/],
  ['from equal to to', OVERVIEW, { from: 'now-1h', to: 'now-1h' }, /is not before to/],
  ['a window past the term', OVERVIEW, { from: 'now-9d', to: 'now-8d' }, /logs are kept 7 days/],
  [
    'an outcome that is none',
    OVERVIEW,
    { outcome: 'bad' },
    /give success, caller_error, service_error, unknown/,
  ],
  ['a code that is no number', OVERVIEW, { code: 'x' }, /^code is "x": give a whole number, or none/],
  ['a code beyond 32 bits', OVERVIEW, { code: '2147483648' }, /give codes from -2147483648 to 2147483647/],
  ['an empty filter', OVERVIEW, { interface: '' }, /^interface is ""/],
  ['too many values of a filter', OVERVIEW, { node: Array(21).fill('gw') }, /^node is .*20 items/],
  ['a value that is too long', OVERVIEW, { node: 'x'.repeat(129) }, /128 characters/],
  ['an application that is no number', 'applications/x/overview', {}, /^sdk_app_id is "x": must be integer/],
  ['application 0', 'applications/0/overview', {}, /^sdk_app_id is 0: must be >= 1/],
  ['a step that is none', 'applications/101/timeseries', { step: '0s' }, /^step is "0s": give such as 10s/],
  ['too many steps', 'applications/101/timeseries', { from: 'now-7d', step: '1s' }, /1500 are allowed/],
  ['too many steps of sparklines', 'applications', { from: 'now-1h', step: '10s' }, /120 are allowed/],
  ['a limit of 0', 'applications/101/requests', { limit: '0' }, /^limit is 0: must be >= 1/],
  ['a limit beyond 1000', 'applications/101/requests', { limit: '1001' }, /^limit is 1001: must be <= 1000/],
  ['a latency below 0', 'applications/101/requests', { latency_ms_min: '-1' }, /^latency_ms_min is -1/],
];

for (const [what, path, parameters, says] of refusals) {
  test(`refuses ${what} and says what is allowed`, async () => {
    const response = await query.app.inject({
      url: addressOf(path, parameters),
      headers: { authorization: `Bearer ${READ_ALL}` },
    });
    assert.match(assertError(response, 400, 'invalid_parameter'), says);
  });
}

test('refuses parameters it does not know and lists those it does', async () => {
  const message = assertError(
    await query.app.inject({
      url: addressOf(OVERVIEW, { form: 'now-1h' }),
      headers: { authorization: `Bearer ${READ_ALL}` },
    }),
    400,
    'unknown_parameter',
  );
  assert.equal(
    message,
    '"form" is no parameter here: give any of from, to, interface, code, outcome, node, region, platform, sdk_version, isp, times',
  );
});

test('addresses that do not exist or cannot be read get the one error answer', async () => {
  for (const url of ['/v1/nothing', '/nothing', '/v1/%ff', '/v1/applications/1/nothing']) {
    assertError(await query.app.inject({ url }), 404, 'not_found');
  }
});
