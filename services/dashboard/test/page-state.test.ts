import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OUTCOMES } from '@imscope/schemas/outcome.js';
import { addressOf } from '@imscope/schemas/query-api/ask.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import fc from 'fast-check';
import {
  formatPageState,
  hasRequestFilters,
  hasScopes,
  NO_REQUEST_FILTERS,
  NO_SCOPES,
  type PageState,
  parsePageState,
  readApplicationId,
  requestParameters,
  scopeParameters,
  toggleValue,
  windowParameters,
  windowSearch,
  withScopes,
} from '../src/state/page-state.js';
import {
  codeFilters,
  exceptionFilters,
  noCodesText,
  noExceptionsText,
} from '../src/pages/application/request-links.js';
import { DEFAULT_WINDOW } from '../src/state/time-window.js';

const value = fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' });
const values = fc.uniqueArray(value, { maxLength: 20 });
// With a prototype, like the objects of parsePageState.
const plain = { noNullPrototype: true } as const;
const pageState: fc.Arbitrary<PageState> = fc.record(
  {
    window: fc.constantFrom(
      DEFAULT_WINDOW,
      { from: 'now-15m', to: 'now' },
      { from: '2026-11-23T12:00:00.000Z', to: '2026-11-23T13:00:00+08:00' },
    ),
    scopes: fc.record(
      { interface: values, region: values, node: values, platform: values, sdk_version: values },
      plain,
    ),
    requests: fc.record(
      {
        interface: values,
        code: fc.uniqueArray(fc.constantFrom('none', '0', '20005', '-1', '91000')),
        outcome: fc.subarray([...OUTCOMES]),
        exception: fc.uniqueArray(fc.oneof(fc.constant(''), value), { maxLength: 20 }),
        requestId: fc.oneof(fc.constant(''), value),
        latencyMsMin: fc.option(fc.integer({ min: 1, max: 86_400_000 })),
      },
      plain,
    ),
    sort: fc.option(
      fc.record({ column: fc.constantFrom('p95', 'success_rate'), descending: fc.boolean() }, plain),
    ),
    search: fc.oneof(fc.constant(''), value),
  },
  plain,
);

test('a link carries the complete state of a page', () => {
  fc.assert(
    fc.property(pageState, (state) => {
      assert.deepEqual(parsePageState(formatPageState(state)), state);
    }),
  );
});

test('any address is read without failure', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (search) => {
      const state = parsePageState(search);
      assert.deepEqual(parsePageState(formatPageState(state)), state);
    }),
  );
});

test('defaults are not written, so the plain address is the default view', () => {
  assert.equal(formatPageState(parsePageState('')), '');
  assert.equal(windowSearch(DEFAULT_WINDOW), '');
  assert.equal(windowSearch({ from: 'now-6h', to: 'now' }), '?from=now-6h');
});

test('paths and times stay readable in links', () => {
  const state = parsePageState('?interface=openim/sendmsg&from=2026-11-23T12:00:00Z&to=2026-11-23T13:00:00Z');
  assert.equal(
    formatPageState(state),
    'from=2026-11-23T12:00:00Z&to=2026-11-23T13:00:00Z&interface=openim/sendmsg',
  );
});

test('unreadable parts of a link are dropped and the rest is used', () => {
  const state = parsePageState(
    'from=yesterday&to=now&code=abc&code=70001&outcome=bad&latency_ms_min=-4&sort=%3Cb%3E&node=gw-1',
  );
  assert.deepEqual(state.window, DEFAULT_WINDOW);
  assert.deepEqual(state.requests, { ...NO_REQUEST_FILTERS, code: ['70001'] });
  assert.equal(state.sort, null);
  assert.deepEqual(state.scopes, { ...NO_SCOPES, node: ['gw-1'] });
});

test('lists are cut at the bounds of the query service', () => {
  const many = Array.from({ length: 50 }, (_, index) => `node=gw-${index.toString()}`).join('&');
  assert.equal(parsePageState(many).scopes.node.length, 20);
  assert.deepEqual(parsePageState(`node=${'x'.repeat(129)}`).scopes.node, []);
});

test('every stored exception name can be a filter, and so can none', () => {
  const longest = 'x'.repeat(REQUEST_LOG_BOUNDS.exceptionLengthMax);
  const { exception } = parsePageState(`exception=&exception=${longest}&exception=${longest}x`).requests;
  assert.deepEqual(exception, ['', longest]);
});

/** The query of the address that asks for single requests. */
function queryOf(parameters: ReturnType<typeof requestParameters>): string {
  return addressOf('requests', { sdk_app_id: 1, ...parameters }).split('?')[1] ?? '';
}

test('a row of a panel leads to requests by all that identifies it', () => {
  const outcomes = { success: 0, caller_error: 2, service_error: 1, unknown: 0 };
  const requests = exceptionFilters({ exception: '', code: null, outcomes });
  const state = parsePageState(formatPageState({ ...parsePageState(''), requests }));
  assert.deepEqual(state.requests, requests);
  assert.equal(
    queryOf(requestParameters(DEFAULT_WINDOW, state.scopes, state.requests)),
    'from=now-1h&to=now&code=none&outcome=caller_error&outcome=service_error&exception=',
  );
  assert.deepEqual(codeFilters({ code: 91_000, outcome: 'service_error' }), {
    ...NO_REQUEST_FILTERS,
    code: ['91000'],
    outcome: ['service_error'],
  });
});

test('the list’s interfaces narrow the page’s, and are dropped where the page is narrowed to others', () => {
  const state = parsePageState('interface=a&interface=b&request_interface=b');
  assert.deepEqual(requestParameters(DEFAULT_WINDOW, state.scopes, state.requests).interface, ['b']);
  assert.deepEqual(scopeParameters(DEFAULT_WINDOW, state.scopes).interface, ['a', 'b']);
  assert.deepEqual(withScopes(state, { ...NO_SCOPES, interface: ['a'] }).requests.interface, []);
  assert.deepEqual(withScopes(state, NO_SCOPES).requests.interface, ['b']);
});

test('the text of an empty list claims nothing about requests that do not exist', () => {
  assert.equal(noCodesText(0), 'No requests in this window.');
  assert.match(noCodesText(5), /No request was logged with a code other than 0/);
  assert.equal(noExceptionsText(0), 'No requests in this window.');
  assert.match(noExceptionsText(5), /No service error and no exception/);
});

test('questions to the API always have a complete window', () => {
  assert.equal(
    addressOf('applications', windowParameters(DEFAULT_WINDOW)),
    '/v1/applications?from=now-1h&to=now',
  );
  const query = new URLSearchParams(
    queryOf(
      requestParameters(
        DEFAULT_WINDOW,
        { ...NO_SCOPES, region: ['a', 'b'] },
        { ...NO_REQUEST_FILTERS, latencyMsMin: 250 },
      ),
    ),
  );
  assert.deepEqual(query.getAll('region'), ['a', 'b']);
  assert.equal(query.get('latency_ms_min'), '250');
});

test('filters are distinguished from no filters', () => {
  assert.equal(hasRequestFilters(NO_REQUEST_FILTERS), false);
  assert.equal(hasRequestFilters({ ...NO_REQUEST_FILTERS, requestId: 'r' }), true);
  assert.equal(hasScopes(NO_SCOPES), false);
  assert.equal(hasScopes({ ...NO_SCOPES, node: ['gw-1'] }), true);
});

test('toggling a value adds it, then removes it', () => {
  assert.deepEqual(toggleValue(['a'], 'b'), ['a', 'b']);
  assert.deepEqual(toggleValue(['a', 'b'], 'a'), ['b']);
});

test('only numbers that are exact are ids of applications', () => {
  assert.equal(readApplicationId('1400000001'), 1_400_000_001);
  assert.equal(readApplicationId('9007199254740991'), Number.MAX_SAFE_INTEGER);
  const others = [
    '9007199254740993',
    '99999999999999999999',
    '0',
    '01',
    '-1',
    '1.0',
    '0x10',
    '1e3',
    ' 1',
    '',
  ];
  for (const text of others) assert.equal(readApplicationId(text), null, text);
});
