import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addressFault,
  fillLinks,
  LINK_BYTES_MAX,
  PLACEHOLDERS,
  templateFault,
} from '../src/link-template.js';

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

test('whatever is filled in, a link leads to the host and the path of its template and to no other parameter', () => {
  const hostile = fc.constantFrom(
    '.',
    '..',
    '../..',
    '%2e%2e',
    '/',
    '//evil.example',
    '\\',
    '?x=1',
    '#',
    '&fixed=2',
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...PLACEHOLDERS),
      fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 50 }), hostile),
      (placeholder, text) => {
        const url = `https://logs.example/a/{${placeholder}}/b/.{${placeholder}}/c?q={${placeholder}}&fixed=1#d`;
        const subject = { node: text, requestId: text, interface: text, sdkAppId: 1, fromMs: 0, toMs: 1 };
        const [link] = fillLinks([{ title: 'Logs', url }], subject);
        if (link === undefined) {
          assert.ok(text === '.' || text === '..', text);
          return;
        }
        const filled = new URL(link.url);
        assert.equal(filled.host, 'logs.example');
        const names = filled.pathname.split('/');
        assert.deepEqual([names.length, names[1], names[3], names[5]], [6, 'a', 'b', 'c']);
        assert.deepEqual([...filled.searchParams.keys()], ['q', 'fixed']);
        assert.equal(filled.searchParams.get('fixed'), '1');
        assert.equal(filled.hash, '#d');
      },
    ),
  );
});

test('a step of a path fills no link, and a link that would be too long is left out', () => {
  for (const requestId of ['.', '..'])
    assert.deepEqual(fillLinks([TRACES], { requestId, fromMs: 0, toMs: 1 }), []);
  const template = { title: 'Logs', url: 'https://logs.example/{node}' };
  const lengthOf = (letters: number): number | undefined =>
    fillLinks([template], { node: '界'.repeat(letters) })[0]?.url.length;
  const most = Math.floor((LINK_BYTES_MAX - 'https://logs.example/'.length) / '%E7%95%8C'.length);
  assert.equal(lengthOf(most), 'https://logs.example/'.length + 9 * most);
  assert.equal(lengthOf(most + 1), undefined);
});
