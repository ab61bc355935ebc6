/*
 * Turns the text of an address into values of a parameter schema: the one place where text becomes numbers and lists.
 * What does not convert stays text, and the check of the schema refuses it.
 */
import { plainDecimal, plainInteger, queryPairs } from './query-parameters.js';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { Value } from 'typebox/value';

/** The part of a JSON schema that is read here. */
const ParameterSchema = Type.Object({
  properties: Type.Record(Type.String(), Type.Object({ type: Type.Optional(Type.String()) })),
});

/** The schema of routes that have no parameters in the query: any is refused as unknown. */
const NO_PARAMETERS = Type.Object({}, { additionalProperties: false });

/** The parameters of every route of the API are read here, and unknown ones are refused. Install before any route. */
export function installParameterReading(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (!route.url.startsWith('/v1/')) return;
    route.schema = { querystring: NO_PARAMETERS, ...route.schema };
  });
  app.addHook('preValidation', async (request) => {
    const { schema } = request.routeOptions;
    if (schema?.querystring !== undefined) {
      request.query = readQuery(schema.querystring, request.raw.url ?? '');
    }
    if (schema?.params !== undefined) request.params = convert(schema.params, request.params);
  });
}

/**
 * @param schema of an object whose properties are text, numbers or lists of text
 * @throws `HttpError` invalid_parameter where the query is no percent-encoded UTF-8
 */
export function readQuery(schema: unknown, url: string): Record<string, unknown> {
  const given = new Map<string, string[]>();
  for (const [name, value] of queryPairs(url)) {
    const values = given.get(name);
    if (values === undefined) given.set(name, [value]);
    else values.push(value);
  }
  // `fromEntries` makes own properties for any name: `__proto__` is then an unknown parameter like any other.
  return convert(
    schema,
    Object.fromEntries(
      Array.from(given, ([name, values]) => [name, values.length === 1 ? values[0] : values]),
    ),
  );
}

function convert(schema: unknown, given: unknown): Record<string, unknown> {
  const values: Record<string, unknown> = Object.fromEntries(Object.entries(given ?? {}));
  const properties = Value.Check(ParameterSchema, schema) ? schema.properties : {};
  for (const [name, { type }] of Object.entries(properties)) {
    const value = values[name];
    if (typeof value !== 'string') continue;
    if (type === 'integer') values[name] = plainInteger(value) ?? value;
    if (type === 'number') values[name] = plainDecimal(value) ?? value;
    if (type === 'array') values[name] = [value];
  }
  return values;
}
