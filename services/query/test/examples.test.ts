/*
 * Asks every question by GET and by POST, with times as text and as numbers, and checks each answer against the
 * service's own OpenAPI document. The examples of that document are such answers: IMSCOPE_WRITE_EXAMPLES=1 writes them.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { QuestionContract } from '@imscope/schemas/query-api/question-contract.js';
import { answerSchema, type QuestionName, QUESTIONS } from '@imscope/schemas/query-api/questions.js';
import { IsArray, IsObject, IsRecord, IsUnion, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { type Operation, readOpenApi } from '../../../scripts/api-properties/openapi-document.js';
import { exampleFile, readExample } from '../src/http/answer-examples.js';
import { blocksOf, historyOf, MINUTE_MS } from './completeness/history.js';
import { insertAccounts, insertBlocks } from './completeness/stored-history.js';
import { openStoreAndQuery, READ_ALL } from './query-under-test.js';
import { metricsOf } from './stored-metric.js';
import { seededRows } from './stored-row.js';

const HOUR_MS = 3_600_000;
const NOW_MS = Date.now();
const APP = 1_400_000_001;
const isWriting = process.env['IMSCOPE_WRITE_EXAMPLES'] === '1';

/** Beside `sdk_app_id` and `from`: what a question needs, or what makes its example telling. */
/** A hash of the cause: it is the same at every run. */
const GROUP = 'ae016d1eb35839f1';
const PARAMETERS: Partial<Record<string, Readonly<Record<string, unknown>>>> = {
  applications: { step: '30m' },
  timeseries: { step: '30m' },
  monitor: { step: '30m', interface: ['openim/sendmsg'] },
  network: { by: 'region' },
  fleetNetwork: { by: 'region' },
  breakdown: { group_by: ['node'] },
  fleetBreakdown: { group_by: ['region'] },
  exceptionGroup: { group: GROUP },
  fleetExceptionGroup: { group: GROUP },
  fleetTimeseries: { step: '30m' },
  heatmap: { step: '30m' },
  fleetHeatmap: { step: '30m' },
  requests: { outcome: ['service_error'], limit: 2 },
  fleetRequests: { code: ['91000'], limit: 2 },
  requestById: { request_id: `${APP}-1-2997` },
  requestContext: { request: `${APP}-1-2997` },
};

const MINUTES = 70;
const history = historyOf(
  [Array.from({ length: MINUTES }, () => [100, 100])],
  2,
  NOW_MS - MINUTES * MINUTE_MS,
);

const { query } = await openStoreAndQuery(async (store) => {
  const span = { fromMs: NOW_MS - 2 * HOUR_MS, toMs: NOW_MS - MINUTE_MS };
  const rows = [
    ...seededRows({ seed: 1, count: 3_000, sdkAppId: APP, ...span }),
    ...seededRows({ seed: 2, count: 300, sdkAppId: APP + 1, ...span }),
  ].map((row, index) =>
    // As many addresses as a row about a network has at least, and more.
    row.exit_ip.includes('203.0.113.') ? { ...row, exit_ip: `::ffff:203.0.113.${index % 50}` } : row,
  );
  const callbacks = rows
    .filter((_, index) => index % 40 === 0)
    .map((row) => ({ ...row, interface: 'callback/C2C.CallbackAfterSendMsg' }));
  const all = [...rows, ...callbacks];
  await store.insert(all);
  await store.client.insert({
    table: 'interface_metric',
    values: metricsOf(all, all),
    format: 'JSONEachRow',
  });
  await store.client.insert({
    table: 'application_detail',
    values: [APP, APP + 1].map((sdk_app_id, index) => ({
      sdk_app_id,
      name: `Chat ${index + 1}`,
      package: 'pro',
      owner: 'Messaging',
      links: JSON.stringify([
        { title: 'Logs', url: 'https://logs.example/?q={request_id}&from={from}&to={to}' },
      ]),
      region: 'singapore',
      revision: 1,
      deleted: false,
    })),
    format: 'JSONEachRow',
  });
  await insertBlocks(store.client, blocksOf(history.batches));
  await insertAccounts(store.client, history.accounts, {
    facts: { host: 'edge-1', settings_hash: 'abcdef012345', spool_bytes: 4_096, spool_bytes_max: 1 << 30 },
    applications: ({ sent, sequence }) => [
      {
        sdk_app_id: APP,
        accepted: sent.reduce((sum, { records }) => sum + records, 0),
        sampled_out: 0,
        rejected: { wrong_type: Math.floor(sequence / 10) },
      },
    ],
  });
});
await query.app.listen({ host: '127.0.0.1', port: 0 });
const { port } = query.app.server.address() as AddressInfo;
const serviceUrl = `http://127.0.0.1:${port}`;
const api = await readOpenApi(serviceUrl);

/** Parameters of a question: of its path, its window, and its own. */
function parametersOf(name: string, { path, query: { properties } }: QuestionContract) {
  return {
    ...(path.includes(':sdk_app_id') ? { sdk_app_id: APP } : {}),
    ...('from' in properties ? { from: 'now-1h' } : {}),
    ...PARAMETERS[name],
  };
}

async function ask(
  method: 'GET' | 'POST',
  { path }: QuestionContract,
  parameters: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const values = new Map(Object.entries(parameters));
  const address = path.replaceAll(/:(\w+)/g, (_, name: string) => {
    const value = values.get(name);
    values.delete(name);
    return encodeURIComponent(String(value));
  });
  const search = new URLSearchParams();
  if (method === 'GET') {
    for (const [name, value] of values) for (const one of [value].flat()) search.append(name, String(one));
  }
  const response = await fetch(`${serviceUrl}${address}?${search.toString()}`, {
    method,
    headers: { authorization: `Bearer ${READ_ALL}`, 'content-type': 'application/json' },
    ...(method === 'POST' ? { body: JSON.stringify(Object.fromEntries(values)) } : {}),
  });
  const body: unknown = await response.json();
  assert.equal(response.status, 200, JSON.stringify(body));
  return body;
}

function operationOf(method: 'GET' | 'POST', { path }: QuestionContract): Operation {
  const described = path.replaceAll(/:(\w+)/g, '{$1}');
  const found = api.operations.find((one) => one.method === method && one.path === described);
  assert.ok(found !== undefined, `${method} ${described} is not described`);
  return found;
}

/** Where the value has a member that the schema does not name; undefined: nowhere. */
function undescribed(schema: TSchema, value: unknown, at = ''): string | undefined {
  if (IsUnion(schema)) {
    const fitting = schema.anyOf.filter((one) => Value.Check(one, value));
    const faults = fitting.map((one) => undescribed(one, value, at));
    return faults.includes(undefined) ? undefined : (faults[0] ?? `${at} fits nothing`);
  }
  if (IsArray(schema) && Array.isArray(value)) {
    return value.map((one) => undescribed(schema.items, one, `${at}[]`)).find((fault) => fault !== undefined);
  }
  if (IsRecord(schema) || !IsObject(schema) || typeof value !== 'object' || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const of = schema.properties[name];
    const fault = of === undefined ? `${at}.${name}` : undescribed(of, member, `${at}.${name}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** For an example: at most two entries of each list. */
function shortened(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 2).map(shortened);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shortened(one)]));
}

for (const [name, contract] of Object.entries(QUESTIONS) as [QuestionName, QuestionContract][]) {
  const parameters = parametersOf(name, contract);
  const schema = answerSchema(contract);

  test(`"${name}" answers as it is described, by GET and POST, with times as text and as numbers`, async () => {
    for (const method of ['GET', 'POST'] as const) {
      for (const times of ['rfc3339', 'epoch_ms'] as const) {
        const answer = await ask(method, contract, { ...parameters, times });
        const described = operationOf(method, contract).responses['200']?.content?.['application/json'];
        const where = `${method}, ${times}`;
        assert.equal(api.fault(described?.schema ?? {}, answer), undefined, where);
        if (times === 'rfc3339') {
          assert.deepEqual(Value.Errors(schema, answer), [], where);
          assert.equal(undescribed(schema, answer), undefined, `${where}: members that are not described`);
        } else {
          assert.doesNotMatch(JSON.stringify(answer), /"\d{4}-\d{2}-\d{2}T/, `${where}: a time as text`);
        }
        if (isWriting && where === 'GET, rfc3339') {
          const example = { parameters, answer: shortened(answer) };
          writeFileSync(exampleFile(name), `${JSON.stringify(example, undefined, 2)}\n`);
        }
      }
    }
  });

  test(`the description has an example of "${name}", and the service still answers so`, async () => {
    const example = readExample(name);
    assert.ok(
      example !== undefined,
      'write it: IMSCOPE_WRITE_EXAMPLES=1 runs this test file so that it does',
    );
    assert.deepEqual(Value.Errors(schema, example.answer), []);
    assert.equal(undescribed(schema, example.answer), undefined, 'members that are not described any more');
    assert.deepEqual(example.parameters, parameters);
    for (const method of ['GET', 'POST'] as const) {
      const { responses, parameters: described = [], requestBody } = operationOf(method, contract);
      assert.deepEqual(responses['200']?.content?.['application/json']?.example, example.answer);
      const inBody: [string, unknown][] = Object.entries(example.parameters).filter(
        ([one]) => !contract.path.includes(`:${one}`),
      );
      if (method === 'POST')
        assert.deepEqual(requestBody?.content['application/json']?.example, Object.fromEntries(inBody));
      else {
        const given = described.filter((one) => one.example !== undefined);
        assert.deepEqual(Object.fromEntries(given.map((one) => [one.name, one.example])), example.parameters);
      }
    }
  });
}
