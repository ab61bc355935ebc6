/* Of several attributes for one field the first usable one counts; routes, severities and both spellings of JSON. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIELDS } from '@imscope/schemas/raw-fields.js';
import fc from 'fast-check';
import { routePath } from '../src/bodies/otlp/route-path.js';
import { severityOf } from '../src/bodies/otlp/severity.js';
import { parseBody } from '../src/bodies/parse-body.js';
import { isRejection } from '../src/intake/reject-reasons.js';
import { isValidFieldValue } from '../src/intake/valid-field-value.js';
import { validateRecord } from '../src/intake/validate-record.js';
import { asJson, asProtobuf, attributes, logRecord, type ResourceLogs } from './otlp-body.js';
import { sampleRecord, validationContext } from './sample-record.js';

const ROOM = { inflatedBytesMax: 1 << 20, reserve: () => undefined };
const CONTEXT = validationContext();

/** Names of fields as they are in the `.proto` files. */
function asSnakeCase(json: Buffer): Buffer {
  const renamed = json.toString().replaceAll(/"([a-zA-Z]+)":/g, (_, name: string) => {
    const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return `"${snake}":`;
  });
  return Buffer.from(renamed);
}

/** What every form of a request stores, or why it refuses a record: the same for all. */
function stored(resourceLogs: readonly ResourceLogs[]): unknown[] {
  const json = asJson(resourceLogs);
  const [first, ...others] = (
    [
      [asProtobuf(resourceLogs), 'otlp-protobuf'],
      [json, 'otlp-json'],
      [asSnakeCase(json), 'otlp-json'],
    ] as const
  ).map(([bytes, format]) => {
    const values: unknown[] = [];
    parseBody({ bytes, format }, ROOM, (_, value) => {
      const record = validateRecord(value, CONTEXT);
      values.push(isRejection(record) ? record.reason : record);
    });
    return values;
  });
  assert(first !== undefined);
  for (const other of others) assert.deepEqual(other, first);
  return first;
}

type Changes = Parameters<typeof logRecord>[0];

/** One field of the one record that is stored, or why it is refused. */
function field(name: string, changes: Changes, more: Parameters<typeof logRecord>[1] = {}): unknown {
  const [record] = stored([{ logRecords: [logRecord(changes, more)] }]);
  return typeof record === 'object' && record !== null ? Reflect.get(record, name) : record;
}

const GOOD: Changes = {
  'im.interface': 'openim/sendmsg',
  'client.address': '203.0.113.7',
  'im.latency_ms': 12.5,
};
const WITHOUT: Changes = {
  'im.interface': undefined,
  'client.address': undefined,
  'im.latency_ms': undefined,
};

/** Attributes of a good record, but for those of one field. */
function besides(name: string): Changes {
  const usual = { interface: 'im.interface', exit_ip: 'client.address', latency_us: 'im.latency_ms' };
  const attribute = Object.entries(usual).find(([one]) => one === name)?.[1];
  return attribute === undefined ? GOOD : { ...GOOD, [attribute]: undefined };
}

/** For a field: its attributes, the first first, each with a good value and unusable ones. */
const ATTRIBUTES: Readonly<
  Record<string, readonly (readonly [name: string, good: string | number, stored: unknown])[]>
> = {
  interface: [
    ['im.interface', 'a/own', 'a/own'],
    ['http.route', '/a/{id}', 'a/{id}'],
    ['url.path', '/a/path', 'a/path'],
    ['http.target', '/a/target?x=1', 'a/target'],
    ['url.full', 'https://im.example.com/a/full?x=/y', 'a/full'],
    ['http.url', 'http://im.example.com:80/a/url', 'a/url'],
  ],
  exit_ip: [
    ['im.exit_ip', '198.51.100.1', 0xc633_6401],
    ['client.address', '198.51.100.2:443', 0xc633_6402],
    ['source.address', '198.51.100.3', 0xc633_6403],
    ['http.client_ip', '198.51.100.4', 0xc633_6404],
  ],
  latency_us: [
    ['im.latency_ms', 1.5, 1_500],
    ['http.server.request.duration', 0.25, 250_000],
    ['http.server.duration', '3', 3_000],
  ],
  http_status: [
    ['im.http_status', 201, 201],
    ['http.response.status_code', '202', 202],
    ['http.status_code', 203, 203],
  ],
  exception: [
    ['im.exception', 'Own', 'Own'],
    ['exception.type', 'Type', 'Type'],
    ['error.type', '502', '502'],
  ],
  cause: [
    ['im.cause', 'own', 'own'],
    ['exception.message', 'refused', 'refused'],
    ['error.message', 'bad gateway', 'bad gateway'],
  ],
  node: [
    ['im.node', 'n-1', 'n-1'],
    ['host.name', 'n-2', 'n-2'],
    ['service.instance.id', 'n-3', 'n-3'],
    ['k8s.pod.name', 'n-4', 'n-4'],
    ['k8s.node.name', 'n-5', 'n-5'],
  ],
  region: [
    ['im.region', 'r-1', 'r-1'],
    ['cloud.region', 'r-2', 'r-2'],
  ],
};

const UNUSABLE: Readonly<Record<string, readonly (string | number | boolean)[]>> = {
  interface: ['', true, 5],
  exit_ip: ['', 'gateway.example', '/run/socket', 'fe80::1%eth0', true, 7],
  latency_us: ['', 'fast', -1, true],
  http_status: ['', 'OK', 0, 99, true],
  exception: ['', true, 5],
  cause: ['', true, 5],
  node: ['', true, 5, 'x'.repeat(129)],
  region: ['', true, 5, 'x'.repeat(129)],
};

test('the first attribute of a field with a valid value is used, in the order of the table', () => {
  for (const [name, all] of Object.entries(ATTRIBUTES)) {
    all.forEach(([, , expected], index) => {
      const good = all.slice(index).map(([attribute, value]) => [attribute, value] as const);
      for (const bad of UNUSABLE[name] ?? []) {
        const unusable = all.slice(0, index).map(([attribute]) => [attribute, bad] as const);
        for (const list of [[...unusable, ...good], [...good, ...unusable].toReversed()]) {
          const record = { ...besides(name), ...Object.fromEntries(list) };
          assert.deepEqual(field(name, record), expected, JSON.stringify(list));
        }
      }
    });
  }
});

test('if no value is valid, the record is refused for the first attribute given', () => {
  const addresses = { 'client.address': 'gateway.example', 'http.client_ip': 5 };
  assert.equal(field('exit_ip', addresses), 'invalid_ip');
  assert.equal(field('exit_ip', { ...addresses, 'im.exit_ip': true }), 'wrong_type');
  assert.equal(field('code', { 'im.interface': '', 'url.path': 5 }), 'invalid_interface');
  assert.equal(field('code', { 'im.http_status': 700, 'http.status_code': 'x' }), 'out_of_range');
});

test('an invalid attribute of a record does not hide a valid one of its resource, or the reverse', () => {
  const records = stored([
    {
      resource: { attributes: attributes({ 'im.node': 'r-1', 'cloud.region': '', 'im.sdk_app_id': 5 }) },
      logRecords: [
        logRecord({ 'host.name': '', 'im.region': 'west', 'im.sdk_app_id': 'x' }),
        logRecord({ 'k8s.pod.name': 'pod', 'im.sdk_app_id': 6 }),
      ],
    },
  ]) as { node: string; region: string; sdk_app_id: number }[];
  assert.deepEqual(
    records.map(({ node, region, sdk_app_id }) => [node, region, sdk_app_id]),
    [
      ['r-1', 'west', 5],
      ['pod', '', 6],
    ],
  );
});

/** The node of a record that names it twice. */
function nodeOfTwo(first: string, second: string): unknown {
  const record = logRecord();
  const nodes = [first, second].flatMap((node) => attributes({ 'im.node': node }));
  const [one] = stored([
    { logRecords: [{ ...record, attributes: [...(record.attributes ?? []), ...nodes] }] },
  ]);
  return (one as { node: string }).node;
}

test('of a repeated attribute the last valid value is used', () => {
  assert.equal(nodeOfTwo('a', 'b'), 'b');
  assert.equal(nodeOfTwo('a', ''), 'a');
});

test('isValidFieldValue accepts exactly what validateRecord accepts', () => {
  const anyValue = fc.oneof(
    fc.constantFrom<unknown>(
      'openim/sendmsg',
      '203.0.113.7',
      '[::1]:80',
      '200',
      '0',
      0,
      1,
      200,
      -1,
      1.5,
      2 ** 53,
      true,
      {},
    ),
    fc.string(),
    fc.string({ minLength: 120, maxLength: 300 }),
    fc.double(),
    fc.integer(),
  );
  fc.assert(
    fc.property(fc.nat(FIELDS.length - 1), anyValue, (place, value) => {
      const name = FIELDS[place];
      assert(name !== undefined);
      if (value === '') return;
      const taken = !isRejection(validateRecord(sampleRecord({ [name]: value }), CONTEXT));
      const unknown = name === 'http_status' && Number(value) === 0;
      assert.equal(isValidFieldValue(place, value), taken && !unknown, `${name} ${String(value)}`);
    }),
    { numRuns: 3_000 },
  );
});

test('a route as frameworks write it becomes a path with {id} for each parameter', () => {
  for (const [route, path] of [
    ['POST /v4/openim/{command}', '/v4/openim/{id}'],
    ['GET,POST /v4/openim/send', '/v4/openim/send'],
    ['[POST] /v4/openim/send', '/v4/openim/send'],
    ['GET im.example.com/v4/openim/{x}', '/v4/openim/{id}'],
    ['im.example.com:8080/v4/openim/send', '/v4/openim/send'],
    ['https://im.example.com/v4/openim/send?x=/1', '/v4/openim/send'],
    ['^v4/openim/(?P<command>[^/.]+)/$', '/v4/openim/{id}'],
    [String.raw`^v4/openim/(?P<pk>\d+)/$`, '/v4/openim/{id}'],
    ['api/^v4/openim/(?:send|get)/(?P<y>[0-9]{4})/?$', '/api/v4/openim/{id}/{id}'],
    ['(?i)^v4/openim/send$', '/v4/openim/send'],
    [String.raw`/^\/v4\/openim\/(\w+)$/i`, '/v4/openim/{id}'],
    [String.raw`^v4/openim/(?P<a>(?:x|y)+)/msg\.get\Z`, '/v4/openim/{id}/msg.get'],
    ['/v4/openim/*command', '/v4/openim/{id}'],
    ['/v4/openim/(.*)', '/v4/openim/{id}'],
    ['/v4/openim/:id', '/v4/openim/{id}'],
    [String.raw`/v4/openim/:id(\d+)`, '/v4/openim/{id}'],
    ['/v4/openim/:id?', '/v4/openim/{id}'],
    ['/v4/openim/:id(.:format)', '/v4/openim/{id}'],
    ['/v4/openim/{name:[a-z]{2,3}}', '/v4/openim/{id}'],
    ['/v4/openim/{**slug}', '/v4/openim/{id}'],
    ['/v4/openim/user-{id}.json', '/v4/openim/{id}'],
    ['/v4/openim/{$}', '/v4/openim'],
    ['v4/openim/<int:id>/', '/v4/openim/{id}'],
    ['/v4/openim/[[...slug]]', '/v4/openim/{id}'],
    ['/v4/openim/{id}/(method:POST)', '/v4/openim/{id}'],
    ['/v4//openim/send/', '/v4/openim/send'],
    ['/v4/openim/send?sdkappid=1', '/v4/openim/send'],
  ] as const) {
    assert.deepEqual(routePath(route), { path, isSpecific: true }, route);
  }
});

test('a route without an interface name, or with text that is not a word, ranks below the path', () => {
  const path = { ...WITHOUT, ...GOOD, 'im.interface': undefined, 'url.path': '/v4/openim/sendmsg' };
  for (const route of [
    '',
    '/',
    '*',
    '/**',
    '404',
    '/v4/404',
    '^$',
    '{controller}/{action}',
    'v4/[controller]/[action]',
    '/v4/{service}/{command}',
    '/v4/openim/messages:batchGet',
    '/v4/openim/send msg',
    `/v4/${'x'.repeat(2_000)}`,
    `/v4/openim/{name:${'x'.repeat(2_000)}}`,
  ]) {
    assert.equal(field('interface', { ...path, 'http.route': route }), 'openim/sendmsg', route);
    assert.equal(
      field('interface', { ...path, 'url.path': undefined, 'http.target': '/a?b', 'http.route': route }),
      'a',
    );
  }
  // Alone, it is better than nothing.
  const alone = { ...path, 'url.path': undefined };
  assert.equal(field('interface', { ...alone, 'http.route': '/v4/openim/messages:batchGet' }), 'openim/{id}');
  assert.equal(field('interface', { ...alone, 'http.route': '{controller}/{action}' }), '{id}/{id}');
  assert.equal(field('interface', { ...alone, 'http.route': '' }), 'invalid_interface');
});

test('any route becomes a path of words and {id}, or an empty one', () => {
  const piece = fc.constantFrom(
    '/',
    '(',
    ')',
    '{',
    '}',
    '[',
    ']',
    '<',
    '>',
    '?',
    ':',
    '*',
    '\\',
    '^',
    '$',
    'v4',
    'a',
    '|',
    '.',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const { path, isSpecific } = routePath(pieces.join(''));
      if (isSpecific) assert.match(path, /^(?:\/(?:\{id\}|[\w.-]+))+$/);
    }),
    { numRuns: 3_000 },
  );
});

test('a severity is a number, a protobuf name, digits as text, or a logger’s own name', () => {
  for (const [number, text, expected] of [
    [17, undefined, 17],
    ['17', undefined, 17],
    ['SEVERITY_NUMBER_ERROR', undefined, 17],
    ['SEVERITY_NUMBER_WARN3', undefined, 13],
    ['SEVERITY_NUMBER_INFO', 'ERROR', 9],
    ['SEVERITY_NUMBER_UNSPECIFIED', 'ERROR', 17],
    [undefined, 'error', 17],
    [0, 'Warning', 13],
    [null, 'crit', 21],
    [undefined, 'emerg', 21],
    [undefined, 'notice', 9],
    [undefined, 'debug', 5],
    [undefined, 'audit', 0],
    [undefined, undefined, 0],
    ['', '', 0],
    ['SEVERITY_NUMBER_LOUD', undefined, 13],
    [true, undefined, 13],
    ['SEVERITY_NUMBER_LOUD', 'info', 9],
  ] as const) {
    assert.equal(severityOf(number, text), expected, `${String(number)} ${String(text)}`);
  }
});

test('the body is the cause also by the severity text, and if the attribute is invalid', () => {
  const body = { stringValue: 'no answer' };
  assert.equal(field('cause', {}, { body, severityText: 'ERROR' }), 'no answer');
  assert.equal(field('cause', {}, { body, severityText: 'INFO' }), '');
  assert.equal(field('cause', {}, { body, severityNumber: 9, severityText: 'ERROR' }), '');
  assert.equal(field('cause', { 'im.cause': '' }, { body, severityNumber: 17 }), 'no answer');
  assert.equal(field('cause', { 'exception.message': 5 }, { body, severityNumber: 17 }), 'no answer');
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  assert.equal(field('request_id', { 'im.request_id': '' }, { traceId }), traceId);
});
