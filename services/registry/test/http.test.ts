import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { OPERATIONS } from '@imscope/schemas/registry-api/operations.js';
import { openRegistry, type RegistryUnderTest } from './backends.js';
import { newApplication } from './new-application.js';

const APPLICATIONS = '/v1/registry/applications';
const JSON_TYPE = { 'content-type': 'application/json' };

let registry: RegistryUnderTest;
before(async () => {
  registry = await openRegistry('embedded', 'http');
  await registry.call('createApplication', { body: newApplication(1) });
});
after(() => registry.stop());

async function refusal(path: string, init: RequestInit): Promise<[number, string, string]> {
  const response = await registry.send(path, init);
  const { error } = Object(await response.json());
  return [response.status, String(error?.code), String(error?.message)];
}

const patch = (body: string, headers: Record<string, string> = {}) =>
  refusal(`${APPLICATIONS}/1`, { method: 'PATCH', headers: { ...JSON_TYPE, ...headers }, body });

test('the description is valid OpenAPI 3.1 and covers every operation', async () => {
  const response = await fetch(`${registry.url}/v1/registry/openapi.json`);
  const description = Object(await response.json());
  assert.deepEqual(await new Validator().validate(description), { valid: true });
  const described = Object.values(description.paths).flatMap((methods) =>
    Object.values(Object(methods)).map((operation) => Object(operation).operationId),
  );
  assert.deepEqual(new Set(described), new Set([...Object.keys(OPERATIONS), 'getDescription']));
});

test('an answer has security headers, is not stored, and an application has its revision as ETag', async () => {
  const response = await registry.send(`${APPLICATIONS}/1`);
  await response.body?.cancel();
  assert.equal(response.headers.get('etag'), '"1"');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/);
});

test('a change without If-Match is 428, with one that is no ETag 400', async () => {
  const body = JSON.stringify({ details: { owner: 'a' }, reason: 'r' });
  assert.deepEqual((await patch(body)).slice(0, 2), [428, 'precondition_required']);
  for (const tag of ['1', 'W/"1"', '"01"', '*', '"-1"', '"1", "2"', '""']) {
    const [status, code] = await patch(body, { 'if-match': tag });
    assert.deepEqual([status, code], [400, 'invalid_parameter'], tag);
  }
});

test('hostile bodies are refused with stable codes, and nothing changes', async () => {
  const deep = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`;
  const bodies: readonly [body: string, code: string][] = [
    ['', 'empty_body'],
    ['{', 'unreadable_body'],
    ['null', 'invalid_parameter'],
    ['[]', 'invalid_parameter'],
    ['"text"', 'invalid_parameter'],
    ['{"reason":"r","details":[]}', 'invalid_parameter'],
    ['{"reason":"r","details":{"name":null}}', 'invalid_parameter'],
    ['{"reason":"r","unknown":1}', 'invalid_parameter'],
    ['{"details":{"owner":"a"}}', 'invalid_parameter'],
    ['{"reason":"","details":{"owner":"a"}}', 'invalid_parameter'],
    ['{"reason":"r","__proto__":{"x":1}}', 'unreadable_body'],
    ['{"reason":"r","configuration":{"__proto__":{"x":1}}}', 'unreadable_body'],
    ['{"reason":"r","configuration":{"constructor":{"prototype":{"x":1}}}}', 'unreadable_body'],
    ['{"reason":"r","settings":{"quota_per_second":1e400}}', 'invalid_parameter'],
    ['{"reason":"r","settings":{"quota_per_second":1e308}}', 'invalid_parameter'],
    ['{"reason":"r","settings":{"quota_per_second":1.5}}', 'invalid_parameter'],
    ['{"reason":"r","settings":{"quota_per_second":"10"}}', 'invalid_parameter'],
    ['{"reason":"r","settings":{"quota_per_second":-0}}', 'invalid_parameter'],
    ['{"reason":"r","settings":{"codes":{"99999999999":"success"}}}', 'invalid_parameter'],
    ['{"reason":"r","settings":{"codes":{"3000000000":"success"}}}', 'invalid_parameter'],
    ['{"reason":"r","settings":{"codes":{"007":"success"}}}', 'invalid_parameter'],
    ['{"reason":"r","settings":{"codes":{"no code":"success"}}}', 'invalid_parameter'],
    ['{"reason":"r","details":{"name":"a\\u0000b"}}', 'invalid_parameter'],
    [`{"reason":"r","details":{"name":"${'a\u0301'.repeat(60)}"}}`, 'invalid_parameter'],
    [`{"reason":"r","configuration":${deep}}`, 'invalid_parameter'],
    [`{"reason":"r","configuration":{"tags":${'['.repeat(5_000)}${']'.repeat(5_000)}}}`, 'invalid_parameter'],
    [`{"reason":"r","details":{"description":"${'x'.repeat(300_000)}"}}`, 'body_too_large'],
  ];
  for (const [body, code] of bodies) {
    const [, received, message] = await patch(body, { 'if-match': '"1"' });
    assert.equal(received, code, `${body.slice(0, 80)}: ${message}`);
  }
  const application = await registry.call('getApplication', { params: { sdk_app_id: 1 } });
  assert.equal(application.revision, 1);
});

test('a body that is not UTF-8 is refused', async () => {
  const body = Buffer.from('{"reason":"r","details":{"owner":"\xe9"}}', 'latin1');
  const init = { method: 'PATCH', headers: { ...JSON_TYPE, 'if-match': '"1"' }, body };
  assert.deepEqual((await refusal(`${APPLICATIONS}/1`, init)).slice(0, 2), [400, 'unreadable_body']);
});

test('control characters and halves of surrogate pairs are refused wherever text is kept', async () => {
  for (const text of ['a\\u0000b', 'a\\nb', '\\ud800', '\\udc00a']) {
    const bodies: readonly [path: string, body: string][] = [
      [
        APPLICATIONS,
        `{"reason":"${text}","sdk_app_id":2,"app_id":1,"uin":1,"details":{"name":"a","data_centre":"a"}}`,
      ],
      [APPLICATIONS, `{"sdk_app_id":2,"app_id":1,"uin":1,"details":{"name":"${text}","data_centre":"a"}}`],
      [
        APPLICATIONS,
        `{"sdk_app_id":2,"app_id":1,"uin":1,"details":{"name":"a","data_centre":"a"},"configuration":{"tags":["${text}"]}}`,
      ],
      ['/v1/registry/tokens', `{"name":"${text}","scope":"read","applications":"all","reason":"r"}`],
      ['/v1/registry/exports', `{"kind":"applications","reason":"${text}"}`],
    ];
    for (const [path, body] of bodies) {
      const answer = await refusal(path, { method: 'POST', headers: JSON_TYPE, body });
      assert.deepEqual(answer.slice(0, 2), [400, 'invalid_parameter'], `${body}: ${answer[2]}`);
    }
  }
});

test('of a member that a body has twice the last one counts', async () => {
  const [, code] = await patch('{"reason":"r","details":{"owner":"a"},"details":{"owner":7}}', {
    'if-match': '"1"',
  });
  assert.equal(code, 'invalid_parameter');
});

test('a body of another content type is refused', async () => {
  const init = { method: 'PATCH', body: '{}' };
  for (const type of ['text/csv', 'text/plain', 'application/xml', 'application/x-ndjson', 'nonsense']) {
    const headers = { 'content-type': type, 'if-match': '"1"' };
    const [status, code] = await refusal(`${APPLICATIONS}/1`, { ...init, headers });
    assert.deepEqual([status, code], [415, 'unsupported_media_type'], type);
  }
  const json = { method: 'POST', headers: JSON_TYPE, body: '{}' };
  assert.deepEqual((await refusal('/v1/registry/imports', json)).slice(0, 2), [
    415,
    'unsupported_media_type',
  ]);
});

test('unknown addresses, methods and parameters have codes of their own', async () => {
  const paths: readonly [path: string, method: string, code: string][] = [
    ['/v1/registry/nothing', 'GET', 'not_found'],
    [APPLICATIONS, 'DELETE', 'method_not_allowed'],
    [`${APPLICATIONS}?nothing=1`, 'GET', 'unknown_parameter'],
    [`${APPLICATIONS}?limit=1001`, 'GET', 'invalid_parameter'],
    [`${APPLICATIONS}?limit=0x10`, 'GET', 'invalid_parameter'],
    [`${APPLICATIONS}?after=x`, 'GET', 'invalid_parameter'],
    [`${APPLICATIONS}?search=%ff`, 'GET', 'invalid_parameter'],
    [`${APPLICATIONS}/0`, 'GET', 'invalid_parameter'],
    [`${APPLICATIONS}/1e3`, 'GET', 'invalid_parameter'],
    [`${APPLICATIONS}/99999999999999999999`, 'GET', 'invalid_parameter'],
    [`${APPLICATIONS}/2`, 'GET', 'not_found'],
    [`${APPLICATIONS}/1/versions/2`, 'GET', 'not_found'],
    [`${APPLICATIONS}/1/diff?from=1&to=9`, 'GET', 'not_found'],
    [`${APPLICATIONS}/1/diff`, 'GET', 'invalid_parameter'],
  ];
  for (const [path, method, code] of paths) {
    assert.equal((await refusal(path, { method }))[1], code, `${method} ${path}`);
  }
});

test('a refusal names every fault by its JSON pointer, with what was received and is allowed', async () => {
  const [, , message] = await patch(
    JSON.stringify({
      reason: 'r',
      settings: { quota_per_second: 0 },
      configuration: { recent_contacts_max: 99, callback: { url: 'ftp://user:hidden@host' } },
    }),
    { 'if-match': '"1"' },
  );
  assert.match(message, /\/settings\/quota_per_second is 0: give a whole number from 1 to/);
  assert.match(message, /\/configuration\/recent_contacts_max is 99: give a whole number from 100 to 500/);
  assert.match(message, /\/configuration\/callback\/url is a text \(not shown\)/);
  assert.doesNotMatch(message, /hidden/);
});
