import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { QUESTIONS } from '@imscope/schemas/query-api/questions.js';
import { openQueryWithoutStore } from './query-under-test.js';

const query = await openQueryWithoutStore();

const Operation = Type.Object({
  operationId: Type.String(),
  summary: Type.String(),
  security: Type.Array(Type.Record(Type.String(), Type.Array(Type.String()))),
  parameters: Type.Optional(
    Type.Array(
      Type.Object({ name: Type.String(), in: Type.String(), description: Type.Optional(Type.String()) }),
    ),
  ),
  responses: Type.Record(Type.String(), Type.Object({ description: Type.String() })),
});
const Description = Type.Object({
  paths: Type.Record(Type.String(), Type.Record(Type.String(), Operation)),
});

async function readDescription() {
  const response = await query.app.inject({ url: '/v1/openapi.json' });
  assert.equal(response.statusCode, 200);
  const description: unknown = response.json();
  assert.ok(Value.Check(Description, description));
  return description;
}

test('the description is valid OpenAPI 3.1', async () => {
  const result = await new Validator().validate({ ...(await readDescription()) });
  assert.deepEqual(result, { valid: true });
});

test('the description covers every route with parameters, answers, errors and security', async () => {
  const { paths } = await readDescription();
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ route: `${method} ${path}`, operation })),
  );
  const questions = Object.values(QUESTIONS).flatMap(({ path }) =>
    ['get', 'post'].map((method) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`),
  );
  assert.deepEqual(
    operations.map(({ route }) => route).toSorted(),
    [
      ...questions,
      ...['applications/{sdk_app_id}', 'fleet'].flatMap((whose) =>
        ['post', 'delete'].map((method) => `${method} /v1/${whose}/exceptions/{group}/mute`),
      ),
      'get /v1/exception-mutes',
      ...['applications/{sdk_app_id}', 'fleet'].flatMap((whose) =>
        ['tail', 'export'].flatMap((name) =>
          ['get', 'post'].map((method) => `${method} /v1/${whose}/${name}`),
        ),
      ),
      'delete /v1/session',
      'get /v1/openapi.json',
      'get /v1/session',
      'post /v1/session',
      'post /v1/sign-in-codes',
    ].toSorted(),
  );
  for (const { route, operation } of operations) {
    assert.ok(
      Object.keys(operation.responses).some((status) => status.startsWith('2')),
      route,
    );
    if (!route.startsWith('get /v1/applications')) continue;
    if (/\/(?:tail|export)$/.test(route)) {
      assert.deepEqual(operation.security, [{ bearer: ['requests'] }, { session: ['requests'] }]);
      continue;
    }
    const roles = route.includes('/requests') ? ['requests'] : [];
    assert.deepEqual(operation.security, [{ bearer: roles }, { session: roles }]);
    const statuses = Object.keys(operation.responses);
    const notFound = route.endsWith('/{group}') ? ['404'] : [];
    assert.deepEqual(
      statuses,
      ['200', '400', '401', '403', ...notFound, '408', '417', '422', '431', '500', '503', '504'],
      route,
    );
    const names = operation.parameters?.map(({ name }) => name) ?? [];
    assert.ok(names.includes('from') && names.includes('to'), route);
    assert.equal(names.includes('sdk_app_id'), route.includes('sdk_app_id'));
  }
});

test('every parameter says what it means', async () => {
  const { paths } = await readDescription();
  const silent = Object.entries(paths).flatMap(([path, methods]) =>
    Object.values(methods).flatMap(({ parameters = [] }) =>
      parameters.filter(({ description = '' }) => description === '').map(({ name }) => `${path} ${name}`),
    ),
  );
  assert.deepEqual(silent, []);
});
