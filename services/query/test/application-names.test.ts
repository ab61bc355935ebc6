import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  LINK_BYTES_MAX,
  LINKS_MAX,
  type LinkTemplate,
  URL_LENGTH_MAX,
} from '@imscope/schemas/link-template.js';
import { FleetPage } from '@imscope/schemas/query-api/applications.js';
import { DescribedApplication } from '@imscope/schemas/query-api/application-name.js';
import { QUESTIONS } from '@imscope/schemas/query-api/questions.js';
import { RequestContext } from '@imscope/schemas/query-api/request-context.js';
import { FleetRequestPage, RequestPage } from '@imscope/schemas/query-api/requests.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { Value } from 'typebox/value';
import { openStoreAndQuery, READ_ALL } from './query-under-test.js';
import { addressOf, readAnswer } from './read-answer.js';
import { storedRow } from './stored-row.js';

const LINKS = [{ title: 'Logs', url: 'https://logs.example/?app={sdk_app_id}&from={from}&to={to}' }];
const STORED = {
  sdk_app_id: 101,
  name: 'Störenfried 聊天',
  package: 'pro',
  owner: 'Messaging',
  runbook_url: 'https://runbooks.example/101',
};
const NAMED = { ...STORED, link_templates: LINKS };
const MINUTE_MS = 60_000;
/** Of requests with links: beyond the hour of the fleet's answers here. */
const FROM_MS = Date.now() - 3 * 60 * MINUTE_MS;
const WINDOW = {
  from: new Date(FROM_MS).toISOString(),
  to: new Date(FROM_MS + 60 * MINUTE_MS).toISOString(),
};

/** Of an application with links. */
const LINKED = 320;
const linked = storedRow({
  time: FROM_MS + 30 * MINUTE_MS,
  sdk_app_id: LINKED,
  interface: 'openim/sendmsg',
  node: 'gw 1&x',
  request_id: 'id/../1',
  latency_us: 2_000_400,
});
const REQUEST_LINKS: LinkTemplate[] = [
  { title: 'Logs', url: 'https://logs.example/?q={request_id}&n={node}&from={from}&to={to}' },
  { title: 'Trace', url: 'https://traces.example/{request_id}#{from_ms}-{to_ms}' },
];

/** Texts and links that take the most bytes as JSON: six for a control character, two for a quotation mark. */
const WIDEST = 321;
const WIDEST_ROWS = 400;
const longest = (lengthMax: number): string => '\u0001'.repeat(lengthMax);
const { labelLengthMax, interfaceLengthMax, exceptionLengthMax, causeLengthMax, requestIdLengthMax } =
  REQUEST_LOG_BOUNDS;
const widest = Array.from({ length: WIDEST_ROWS }, (_, index) => {
  const label = longest(labelLengthMax);
  return storedRow({
    time: FROM_MS + 20 * MINUTE_MS + index,
    sdk_app_id: WIDEST,
    interface: longest(interfaceLengthMax),
    node: label,
    region: label,
    platform: label,
    sdk_version: label,
    exception: longest(exceptionLengthMax),
    cause: longest(causeLengthMax),
    request_id: 'r'.repeat(requestIdLengthMax),
    block_row: index,
  });
});
/** Filled, each has as many bytes as a link may have. */
const widestLinks = Array.from({ length: LINKS_MAX }, (_, index): LinkTemplate => {
  const ids = 13;
  const beginning = `https://w.example/${'{request_id}'.repeat(ids)}`;
  const filled = beginning.length + ids * (requestIdLengthMax - '{request_id}'.length);
  const title = `${index}${'\u{1F600}'.repeat(63)}`;
  return { title, url: `${beginning}${'"'.repeat(LINK_BYTES_MAX - filled)}` };
});

const { store, query } = await openStoreAndQuery(async (store) => {
  const time = Date.now() - 60_000;
  const rows = [101, 103].map((sdk_app_id, block_row) => storedRow({ time, sdk_app_id, block_row }));
  await store.insert([...rows, linked, ...widest]);
  const details = [
    { ...STORED, links: LINKS },
    { ...STORED, sdk_app_id: LINKED, links: REQUEST_LINKS },
    { ...STORED, sdk_app_id: WIDEST, links: widestLinks },
  ];
  await store.client.insert({
    table: 'application_detail',
    values: details.map((detail) => ({
      ...detail,
      links: JSON.stringify(detail.links),
      region: 'singapore',
      revision: 1,
      deleted: false,
    })),
    format: 'JSONEachRow',
  });
});

async function applicationOf(path: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${READ_ALL}` };
  const needed = path.endsWith('/breakdown') ? { group_by: 'node' } : {};
  const response = await query.app.inject({ url: addressOf(path, needed), headers });
  assert.equal(response.statusCode, 200, response.body);
  const body = response.json<{ application?: unknown }>();
  return body.application;
}

test('every answer about one application says its name, package, owner and links', async () => {
  // Those that name something of an application in their path are asked in their own tests.
  const paths = Object.values(QUESTIONS).filter(
    ({ scope, path }) => scope === 'application' && !path.replace(':sdk_app_id', '').includes(':'),
  );
  assert.ok(paths.length >= 8);
  for (const { path } of paths) {
    const application = await applicationOf(path.replace('/v1/', '').replace(':sdk_app_id', '101'));
    assert.ok(Value.Check(DescribedApplication, application), path);
    assert.deepEqual(application, NAMED, path);
  }
});

test('an application without a name has empty texts', async () => {
  assert.deepEqual(await applicationOf('applications/103/overview'), {
    sdk_app_id: 103,
    name: '',
    package: '',
    owner: '',
    runbook_url: '',
    link_templates: [],
  });
});

test('rows of the fleet have name, package and owner', async () => {
  const { data } = await readAnswer(query.app, FleetPage, 'applications');
  const names = data.applications.map(({ sdk_app_id, name, package: plan, owner }) => [
    sdk_app_id,
    name,
    plan,
    owner,
  ]);
  assert.deepEqual(
    names.toSorted(([a], [b]) => Number(a) - Number(b)),
    [
      [101, NAMED.name, 'pro', 'Messaging'],
      [103, '', '', ''],
    ],
  );
});

test('rows carry the links of their application, filled with the request and five minutes around all of it', async () => {
  const marginMs = 5 * MINUTE_MS + 2_001;
  const [fromMs, toMs] = [linked.time - marginMs, linked.time + marginMs];
  const span = [fromMs, toMs].map((timeMs) => encodeURIComponent(new Date(timeMs).toISOString()));
  const expected = [
    {
      title: 'Logs',
      url: `https://logs.example/?q=id%2F..%2F1&n=gw%201%26x&from=${span[0]}&to=${span[1]}`,
    },
    { title: 'Trace', url: `https://traces.example/id%2F..%2F1#${fromMs}-${toMs}` },
  ];
  const id = encodeURIComponent(linked.request_id);
  const own = await readAnswer(query.app, RequestPage, `applications/${LINKED}/requests`, WINDOW);
  const fleet = await readAnswer(query.app, FleetRequestPage, 'fleet/requests', {
    ...WINDOW,
    request_id: linked.request_id,
  });
  const byId = await readAnswer(query.app, FleetRequestPage, `requests/${id}`, {});
  for (const { data } of [own, fleet, byId]) {
    assert.deepEqual(
      data.requests.map(({ links }) => links),
      [expected],
    );
  }
  assert.equal(byId.data.requests[0]?.name, STORED.name);
  const path = `applications/${LINKED}/requests/${id}/context`;
  const { data } = await readAnswer(query.app, RequestContext, path);
  assert.deepEqual(data.request?.links, expected);
});

test('a page of requests with the longest texts and the longest links is within the bounds of its answer', async () => {
  assert.ok(widestLinks.every(({ url }) => url.length <= URL_LENGTH_MAX));
  const parameters = { ...WINDOW, limit: String(WIDEST_ROWS) };
  const { data } = await readAnswer(query.app, RequestPage, `applications/${WIDEST}/requests`, parameters);
  assert.equal(data.requests.length, WIDEST_ROWS);
  for (const { links } of data.requests) {
    assert.equal(links.length, LINKS_MAX);
    for (const { url } of links) assert.equal(Buffer.byteLength(url), LINK_BYTES_MAX);
  }
});

test('without the dictionary figures are answered, without names', async () => {
  await store.client.command({ query: 'DROP DICTIONARY application_name' });
  assert.deepEqual(await applicationOf('applications/101/overview'), {
    sdk_app_id: 101,
    name: '',
    package: '',
    owner: '',
    runbook_url: '',
    link_templates: [],
  });
});
