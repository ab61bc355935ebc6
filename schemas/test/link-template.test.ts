import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressFault, fillLinks, PLACEHOLDERS, templateFault } from '../src/link-template.js';

const LOGS = {
  title: 'Logs',
  url: 'https://logs.example/search?q={request_id}&node={node}&from={from}&to={to}',
};
const TRACES = { title: 'Traces', url: 'https://traces.example/trace/{request_id}#{from_ms}-{to_ms}' };
const BOARD = { title: 'Board', url: 'http://board.example/d/{sdk_app_id}?var-interface={interface}' };
const FROM_MS = Date.parse('2026-03-01T12:00:00Z');

test('a link is filled with what is known, percent-encoded', () => {
  const subject = {
    sdkAppId: 7,
    interface: 'openim/sendmsg',
    node: 'gw 1&x=y',
    requestId: 'a/../b?c#d',
    fromMs: FROM_MS,
    toMs: FROM_MS + 60_000,
  };
  assert.deepEqual(fillLinks([LOGS, TRACES, BOARD], subject), [
    {
      title: 'Logs',
      url: 'https://logs.example/search?q=a%2F..%2Fb%3Fc%23d&node=gw%201%26x%3Dy&from=2026-03-01T12%3A00%3A00.000Z&to=2026-03-01T12%3A01%3A00.000Z',
    },
    {
      title: 'Traces',
      url: `https://traces.example/trace/a%2F..%2Fb%3Fc%23d#${FROM_MS}-${FROM_MS + 60_000}`,
    },
    { title: 'Board', url: 'http://board.example/d/7?var-interface=openim%2Fsendmsg' },
  ]);
});

test('a link whose placeholder is not known is left out', () => {
  assert.deepEqual(
    fillLinks([LOGS, BOARD], { sdkAppId: 7, interface: 'a', node: '', fromMs: FROM_MS }).map(
      ({ title }) => title,
    ),
    ['Board'],
  );
});

test('a template is refused for an unknown placeholder, a lone brace, a placeholder in the host, and credentials', () => {
  for (const [url, fault] of [
    ['https://a.example/{user}', /\{user\} is unknown: give any of \{request_id\}/],
    ['https://a.example/{', /brace/],
    ['https://a.example/{request_id', /brace/],
    ['https://{node}.example/', /host/],
    ['https://a.example{node}', /host/],
    ['{from}', /host/],
    ['https://me:secret@a.example/{from}', /credentials/],
    ['javascript://a.example/%0aalert(1)', /no http or https URL/],
    ['https://', /no http or https URL/],
  ] as const) {
    assert.match(templateFault(url) ?? '', fault, url);
    assert.deepEqual(fillLinks([{ title: 'wrong', url }], { node: 'gw-1', fromMs: 0, requestId: 'x' }), []);
  }
  for (const { url } of [LOGS, TRACES, BOARD]) assert.equal(templateFault(url), undefined);
  assert.match(addressFault('ftp://a.example') ?? '', /no http/);
});

test('whatever is filled in, a link leads to the host of its template and to no other parameter', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...PLACEHOLDERS),
      fc.string({ unit: 'binary', minLength: 1 }),
      (placeholder, text) => {
        const url = `https://logs.example/search?q={${placeholder}}&fixed=1`;
        const subject = { node: text, requestId: text, interface: text, sdkAppId: 1, fromMs: 0, toMs: 1 };
        const [link] = fillLinks([{ title: 'Logs', url }], subject);
        const filled = new URL(link?.url ?? '');
        assert.equal(filled.host, 'logs.example');
        assert.deepEqual([...filled.searchParams.keys()], ['q', 'fixed']);
      },
    ),
  );
});
