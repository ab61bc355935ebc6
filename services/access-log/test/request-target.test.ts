import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applicationOfQuery, interfaceOfPath, targetOfRequestLine } from '../src/request-target.js';

function nameOf(path: string, anyPath: boolean): string {
  const found = interfaceOfPath(path, anyPath);
  return found.ok ? found.name : found.reason;
}

test('an IM path is service and command', () => {
  for (const [path, name] of [
    ['/v4/openim/sendmsg', 'openim/sendmsg'],
    ['/v4/im_open_login_svc/account_import', 'im_open_login_svc/account_import'],
    ['//v4//openim//sendmsg/', 'openim/sendmsg'],
    ['/v4/openim/%73endmsg', 'openim/sendmsg'],
    ['/v4/openim/12345', 'openim/{id}'],
    ['/v4/openim', 'not_im_request'],
    ['/v4/openim/sendmsg/more', 'not_im_request'],
    ['/v3/openim/sendmsg', 'not_im_request'],
    ['/health', 'not_im_request'],
    ['/', 'not_im_request'],
  ] as const) {
    assert.equal(nameOf(path, false), name, path);
  }
});

test('with an application given, any path is an interface, without its ids and numbers', () => {
  for (const [path, name] of [
    ['/v4/openim/sendmsg', 'openim/sendmsg'],
    ['/api/v1/users/42/messages', 'api/v1/users/{id}/messages'],
    ['/users/7', 'users/{id}'],
    ['/users/user1234', 'users/{id}'],
    ['/groups/@TGS%23_@TGS%23cQ', 'groups/{id}'],
    ['/files/3fa85f64-5717-4562-b3fc-2c963f66afa6', 'files/{id}'],
    ['/files/dead12beef1', 'files/{id}'],
    ['/files/deadbeef1', 'files/deadbeef1'],
    ['/t/eyJhbGciOiJIUzI1NiJ9abcdef', 't/{id}'],
    ['/mail/anna@example.com', 'mail/{id}'],
    ['/call/+8613800138000', 'call/{id}'],
    ['/%E5%BC%A0%E4%B8%89/profile', '{id}/profile'],
    ['/a%ZZ/b', '{id}/b'],
    ['/v4', 'v4'],
    ['/', 'root'],
    ['/../x', '{id}/x'],
    [`/${Array.from({ length: 70 }, () => 'ab').join('/')}`, 'invalid_interface'],
  ] as const) {
    assert.equal(nameOf(path, true), name, path);
  }
});

const target = (line: string) => {
  const found = targetOfRequestLine(line);
  return 'path' in found ? [found.path, found.query] : found.reason;
};

test('request lines give path and query; what is no request line is said to be none', () => {
  assert.deepEqual(target('POST /v4/openim/sendmsg?sdkappid=1&x=2 HTTP/1.1'), [
    '/v4/openim/sendmsg',
    'sdkappid=1&x=2',
  ]);
  assert.deepEqual(target('GET https://im.example.com/a?b?c HTTP/2.0'), ['/a', 'b?c']);
  assert.deepEqual(target('GET /old'), ['/old', '']);
  assert.deepEqual(target('GET /with space HTTP/1.1'), ['/with space', '']);
  for (const line of [
    '',
    'GET',
    '\u0016\u0003\u0001',
    'CONNECT example.com:443 HTTP/1.1',
    'get /x HTTP/1.1',
    'OPTIONS * HTTP/1.1',
  ]) {
    assert.equal(target(line), 'malformed_request', line);
  }
});

const application = (query: string) => {
  const found = applicationOfQuery(query);
  return found.ok ? found.sdkAppId : found.reason;
};

test('the application is the whole number of sdkappid', () => {
  assert.equal(application('a=1&sdkappid=1400000001&random=7'), 1_400_000_001);
  assert.equal(application(`sdkappid=${2 ** 52 - 1}`), 2 ** 52 - 1);
  assert.equal(application(''), 'missing_application');
  assert.equal(application('sdkappid='), 'missing_application');
  for (const bad of ['0', '-1', '1.5', '0x10', '1e9', String(2 ** 52), '9'.repeat(40)]) {
    assert.equal(application(`sdkappid=${bad}`), 'invalid_application', bad);
  }
});

test('names hold nothing but plain words and {id}, whatever the path', () => {
  const wild = fc.string({
    unit: fc.constantFrom('a', '1', '/', '%', '2', 'F', '.', '@', ' ', '\u0000', '张', '-', '{', '}'),
    maxLength: 60,
  });
  fc.assert(
    fc.property(wild, (path) => {
      const found = interfaceOfPath(`/${path}`, true);
      if (found.ok) assert.match(found.name, /^(?:\{id\}|[A-Za-z0-9_.-]+)(?:\/(?:\{id\}|[A-Za-z0-9_.-]+))*$/);
      else assert.equal(found.reason, 'invalid_interface');
    }),
    { numRuns: 1_000 },
  );
});
