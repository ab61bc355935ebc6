/*
 * Reads the OpenAPI document of a running service: its operations with parameters, bodies and answers, and the check of
 * an answer's body against its schema.
 */
import { type Static, type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/schema';
import { Value } from 'typebox/value';

/** A JSON schema of the document; references point into its `components`. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const Schema = Type.Unsafe<JsonSchema>(Type.Object({}));
const ByName = <T extends TSchema>(of: T) => Type.Record(Type.String(), of);
const Parameter = Type.Object({
  name: Type.String(),
  in: Type.Union([
    Type.Literal('cookie'),
    Type.Literal('header'),
    Type.Literal('path'),
    Type.Literal('query'),
  ]),
  required: Type.Optional(Type.Boolean()),
  explode: Type.Optional(Type.Boolean()),
  schema: Schema,
  example: Type.Optional(Type.Unknown()),
});
const Content = ByName(
  Type.Object({
    schema: Type.Optional(Schema),
    example: Type.Optional(Type.Unknown()),
    examples: Type.Optional(ByName(Type.Object({ value: Type.Unknown() }))),
  }),
);
const Answer = Type.Object({
  headers: Type.Optional(ByName(Type.Object({ required: Type.Optional(Type.Boolean()) }))),
  content: Type.Optional(Content),
});
const Described = Type.Object({
  security: Type.Array(ByName(Type.Array(Type.String()))),
  parameters: Type.Optional(Type.Array(Parameter)),
  requestBody: Type.Optional(Type.Object({ content: Content })),
  responses: ByName(Answer),
  'x-endless': Type.Optional(Type.Boolean()),
});
const Document = Type.Object({
  paths: ByName(ByName(Described)),
  components: Type.Object({
    schemas: Type.Optional(ByName(Schema)),
    securitySchemes: ByName(Type.Object({ type: Type.String(), scheme: Type.Optional(Type.String()) })),
  }),
});

export type Parameter = Static<typeof Parameter>;
type Described = Static<typeof Described>;
type Document = Static<typeof Document>;

export type Operation = Described & {
  readonly method: string;
  /** With parameters in braces. */
  readonly path: string;
  /** All methods of the path. */
  readonly pathMethods: readonly string[];
};

export type OpenApi = {
  readonly operations: readonly Operation[];
  /** Resolves a `$ref`; returns other schemas unchanged. */
  readonly resolve: (schema: JsonSchema) => JsonSchema;
  /** @returns what is wrong with a value; undefined if the schema allows it */
  readonly fault: (schema: JsonSchema, value: unknown) => string | undefined;
};

/** Throws if the service serves no document, or an invalid one. */
export async function readOpenApi(serviceUrl: string, path = '/v1/openapi.json'): Promise<OpenApi> {
  const response = await fetch(new URL(path, serviceUrl));
  const document: unknown = await response.json();
  if (!Value.Check(Document, document)) {
    const [first] = Value.Errors(Document, document);
    throw new Error(`${serviceUrl} serves no document that can be used: ${JSON.stringify(first)}`);
  }
  const { schemas = {} } = document.components;
  return {
    operations: operationsOf(document),
    resolve: (schema) => resolve(schema, schemas),
    fault: createFault(document),
  };
}

function operationsOf({ paths }: Document): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) => {
    const pathMethods = Object.keys(methods).map((method) => method.toUpperCase());
    return Object.entries(methods).map(([method, described]) => ({
      ...described,
      method: method.toUpperCase(),
      path,
      pathMethods,
    }));
  });
}

const SCHEMAS = '#/components/schemas/';

function resolve(schema: JsonSchema, schemas: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const reference = schema['$ref'];
  if (typeof reference !== 'string') return schema;
  const found = schemas[reference.replace(SCHEMAS, '')];
  if (found === undefined) throw new Error(`${reference} leads nowhere in the document`);
  return found;
}

function createFault({ components }: Document): OpenApi['fault'] {
  const compiled = new Map<JsonSchema, ReturnType<typeof Compile>>();
  return (schema, value) => {
    // With the components beside it, a schema's references resolve as in the document.
    const check = compiled.get(schema) ?? Compile({ ...schema, components });
    compiled.set(schema, check);
    if (check.Check(value)) return undefined;
    const [, [first]] = check.Errors(value);
    return JSON.stringify(first);
  };
}
