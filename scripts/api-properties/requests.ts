/*
 * Generates requests that test one place of an operation: each parameter, the complete query, the path, the method, the
 * credentials, each body format, its declared type and encoding. Everything else in such a request is allowed.
 */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { HOSTILE_ENCODINGS, HOSTILE_JSON, HOSTILE_JSON_VALUES, HOSTILE_TEXTS } from './hostile-values.js';
import type { JsonSchema, OpenApi, Operation, Parameter } from './openapi-document.js';
import { allowedValues, doubtfulValues } from './schema-values.js';

export type ApiRequest = {
  readonly method: string;
  /** Path and query as they are sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
};

export type Place = {
  readonly name: string;
  readonly requests: fc.Arbitrary<ApiRequest>;
};

/** Tokens by the name of the security scheme. */
export type Tokens = Readonly<Record<string, string>>;

/** The parts of a request before it is composed. */
type Parts = {
  readonly method: string;
  /** Parameters by name, in percent-encoding. */
  readonly path: Readonly<Record<string, string>>;
  /** Appended to the path of the operation. */
  readonly pathEnd: string;
  /** In percent-encoding. */
  readonly query: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
};

type Change = fc.Arbitrary<(parts: Parts) => Parts>;

export function placesOf(operation: Operation, api: OpenApi, tokens: Tokens): Place[] {
  const allowed = allowedParts(operation, api, tokens);
  const place = (name: string, change: Change): Place => ({
    name: `${operation.method} ${operation.path}: ${name}`,
    requests: fc.tuple(allowed, change).map(([parts, apply]) => requestOf(operation.path, apply(parts))),
  });
  const parameters = (operation.parameters ?? []).map((parameter) =>
    place(`parameter ${parameter.name}`, parameterChange(parameter, api)),
  );
  const bodies = Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema = {} }]) =>
    place(`body ${type}`, bodyChange(type, schema, api)),
  );
  return [
    place(
      'as allowed',
      fc.constant((parts) => parts),
    ),
    ...parameters,
    ...bodies,
    ...(bodies.length === 0 ? [] : [place('content type and encoding', declarationChange(operation))]),
    place('query', queryChange(operation)),
    place('path', pathChange()),
    place('method', methodChange(operation)),
    place('credentials', credentialsChange()),
  ];
}

function allowedParts(operation: Operation, api: OpenApi, tokens: Tokens): fc.Arbitrary<Parts> {
  const scheme = operation.security.flatMap((schemes) => Object.keys(schemes)).find((name) => name in tokens);
  const token = scheme === undefined ? undefined : tokens[scheme];
  const path = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
  const values = Object.fromEntries(
    path.map(({ name, schema }) => [
      name,
      allowedValues(schema, api.resolve).map((value) => encoded(textOf(value))),
    ]),
  );
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const body = media === undefined ? fc.constant(undefined) : allowedBodies(media.schema ?? {}, api);
  return fc.record({ path: fc.record(values), body }).map((chosen) => ({
    method: operation.method,
    path: chosen.path,
    pathEnd: '',
    query: [],
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(type === undefined ? {} : { 'content-type': type }),
    },
    body: chosen.body,
  }));
}

/** Text is sent unchanged if the schema is a string, all other values as JSON. */
function allowedBodies(schema: JsonSchema, api: OpenApi): fc.Arbitrary<Buffer> {
  if (schema['format'] === 'binary')
    return fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  const isText = schema['type'] === 'string';
  return allowedValues(schema, api.resolve).map((value) =>
    Buffer.from(isText && typeof value === 'string' ? value : JSON.stringify(value)),
  );
}

function parameterChange(parameter: Parameter, api: OpenApi): Change {
  const { name, schema, explode = true } = parameter;
  const values = fc.oneof(
    allowedValues(schema, api.resolve),
    doubtfulValues(schema, api.resolve),
    fc.constantFrom<unknown>(...HOSTILE_TEXTS),
  );
  if (parameter.in === 'path') {
    return values.map((value) => (parts) => ({
      ...parts,
      path: { ...parts.path, [name]: encoded(textOf(value)) },
    }));
  }
  if (parameter.in === 'query') {
    return values.map((value) => (parts) => {
      const texts = Array.isArray(value) && explode ? value.map(textOf) : [textOf(value)];
      return { ...parts, query: texts.map((text) => `${encoded(name)}=${encoded(text)}`) };
    });
  }
  const header = parameter.in === 'cookie' ? 'cookie' : name.toLowerCase();
  return values.map((value) => (parts) => {
    const text = headerText(textOf(value));
    const given = parameter.in === 'cookie' ? `${name}=${text}` : text;
    return { ...parts, headers: { ...parts.headers, [header]: given } };
  });
}

function bodyChange(type: string, schema: JsonSchema, api: OpenApi): Change {
  const allowed = allowedBodies(schema, api);
  const damaged = fc
    .tuple(allowed, fc.nat(), fc.nat(255), fc.boolean())
    .map(([body, at, byte, cut]) => damage(body, at, byte, cut));
  const replaced = fc
    .tuple(allowed, fc.constantFrom<unknown>(...HOSTILE_JSON_VALUES), fc.nat())
    .map(([body, value, at]) => replaceValue(body, value, at));
  const bodies = fc.oneof(
    allowed,
    damaged,
    replaced,
    doubtfulValues(schema, api.resolve).map((value) => Buffer.from(JSON.stringify(value))),
    fc.constantFrom(...HOSTILE_JSON).map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  );
  return bodies.map((body) => (parts) => ({
    ...parts,
    body,
    headers: { ...parts.headers, 'content-type': type },
  }));
}

function damage(body: Buffer, at: number, byte: number, cut: boolean): Buffer {
  const place = body.length === 0 ? 0 : at % body.length;
  if (cut) return body.subarray(0, place);
  const copy = Buffer.from(body);
  if (copy.length > 0) copy[place] = byte;
  return copy;
}

/** Replaces one value of a JSON body, or of the first line of NDJSON. */
function replaceValue(body: Buffer, value: unknown, at: number): Buffer {
  let count = 0;
  const walk = (node: unknown): unknown => {
    if (count++ === at % 12) return value;
    if (Array.isArray(node)) return node.map(walk);
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(Object.entries(node).map(([name, member]) => [name, walk(member)]));
  };
  const [line = ''] = body.toString('utf8').split('\n');
  try {
    return Buffer.from(JSON.stringify(walk(JSON.parse(line))));
  } catch {
    return body;
  }
}

const ENCODINGS = [
  'gzip',
  'x-gzip',
  'deflate',
  'zstd',
  'br',
  'identity',
  'gzip, gzip',
  '',
  'GZIP',
  'x'.repeat(300),
];
const TYPES = [
  '',
  'text/plain',
  'application/json; charset=latin1',
  'application/json;',
  '*/*',
  'a',
  '/',
  ';;;',
];

/** The same body with other declarations: compressed or not, with or without its header. */
function declarationChange(operation: Operation): Change {
  const types = [...Object.keys(operation.requestBody?.content ?? {}), ...TYPES];
  const declared = fc.record({
    type: fc.constantFrom(...types),
    encoding: fc.constantFrom(undefined, ...ENCODINGS),
    isPacked: fc.boolean(),
    extra: fc.constantFrom('', 'rubbish', '\0'.repeat(100)),
  });
  return declared.map(({ type, encoding, isPacked, extra }) => (parts) => {
    const plain = parts.body ?? Buffer.alloc(0);
    const body = Buffer.concat([isPacked ? gzipSync(plain) : plain, Buffer.from(extra)]);
    const { 'content-type': _type, ...headers } = parts.headers;
    return {
      ...parts,
      body,
      headers: {
        ...headers,
        ...(type === '' ? {} : { 'content-type': type }),
        ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
      },
    };
  });
}

/** Unknown parameters, repeated known ones, and queries that are not a parameter list. */
function queryChange(operation: Operation): Change {
  const known = (operation.parameters ?? [])
    .filter((parameter) => parameter.in === 'query')
    .map(({ name }) => name);
  const names = fc.constantFrom(
    ...known,
    'unknown',
    '__proto__',
    'constructor',
    'from[]',
    'from[a]',
    '',
    ' ',
    'FROM',
  );
  const pairs = fc
    .tuple(names, fc.constantFrom(...HOSTILE_TEXTS, ...HOSTILE_ENCODINGS))
    .map(([name, value]) => {
      const text = HOSTILE_ENCODINGS.includes(value) ? value : encoded(value);
      return `${encoded(name)}=${text}`;
    });
  const queries = fc.oneof(
    fc.array(pairs, { minLength: 1, maxLength: 5 }),
    fc
      .tuple(pairs, fc.integer({ min: 2, max: 300 }))
      .map(([pair, times]) => Array.from({ length: times }, () => pair)),
    fc.constantFrom(['='], ['&&&'], ['?'], ['a'], ['x'.repeat(9_000)], ['a=b;c=d']),
  );
  return queries.map((query) => (parts) => ({ ...parts, query }));
}

function pathChange(): Change {
  const ends = ['', '/', '/x', '/..', '/%2e%2e', '//', ';a=b', '.json', ...HOSTILE_ENCODINGS];
  return fc
    .tuple(
      fc.constantFrom(...ends),
      fc.constantFrom('', ...HOSTILE_ENCODINGS.filter((text) => text !== '//')),
    )
    .map(([end, value]) => (parts) => ({
      ...parts,
      path: Object.fromEntries(
        Object.entries(parts.path).map(([name, given]) => [name, value === '' ? given : value]),
      ),
      pathEnd: end,
    }));
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'SEARCH'];

function methodChange(operation: Operation): Change {
  const others = METHODS.filter((method) => !operation.pathMethods.includes(method));
  return fc.constantFrom(...others).map((method) => (parts) => ({ ...parts, method }));
}

function credentialsChange(): Change {
  const credentials = [
    undefined,
    'Bearer',
    'Bearer ',
    'bearer x',
    `Bearer ${'x'.repeat(43)}`,
    `Bearer ${'x'.repeat(5_000)}`,
    'Basic dXNlcjpwYXNz',
    'Bearer a b',
    'Bearer \u00e9',
    '',
    'x',
  ];
  return fc.constantFrom(...credentials).map((value) => (parts) => {
    const { authorization: _token, ...headers } = parts.headers;
    return { ...parts, headers: value === undefined ? headers : { ...headers, authorization: value } };
  });
}

function requestOf(path: string, parts: Parts): ApiRequest {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => parts.path[name] ?? '');
  const query = parts.query.length === 0 ? '' : `?${parts.query.join('&')}`;
  const { method, headers, body } = parts;
  return { method, target: `${filled}${parts.pathEnd}${query}`, headers, body };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** Lone surrogates, which `encodeURIComponent` refuses, as three bytes that are not UTF-8. */
function encoded(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : text.split('').map(encodedUnit).join('');
}

function encodedUnit(unit: string): string {
  return unit.isWellFormed()
    ? encodeURIComponent(unit)
    : [...Buffer.from([0xed, 0xa0 | ((unit.charCodeAt(0) >> 6) & 0x1f), 0x80 | (unit.charCodeAt(0) & 0x3f)])]
        .map((byte) => `%${byte.toString(16)}`)
        .join('');
}

/** The characters Node.js can send in a header: no control characters, one byte each. */
function headerText(text: string): string {
  return text.replaceAll(/[^\t\u0020-\u007e\u0080-\u00ff]/g, '?').trim();
}
