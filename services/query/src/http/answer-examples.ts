/*
 * Examples for the description of the API: parameters of each question, and an answer that the service gave to them, in
 * `examples/`. The test `examples.test.ts` writes them and checks that the service still answers in this shape.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { QuestionName } from '@imscope/schemas/query-api/questions.js';
import { Type } from 'typebox';
import { Value } from 'typebox/value';

/** Below the root of this package, of its sources as of the built files. */
const DIRECTORY = new URL('../../examples/', import.meta.url);

const Example = Type.Object({
  /** Those of the path too. */
  parameters: Type.Record(Type.String(), Type.Unknown()),
  answer: Type.Object({}),
});

export type AnswerExample = {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly answer: object;
};

export function exampleFile(question: QuestionName): string {
  return fileURLToPath(new URL(`${question}.json`, DIRECTORY));
}

/** undefined: there is none yet. Throws where the file has another form. */
export function readExample(question: QuestionName): AnswerExample | undefined {
  const file = exampleFile(question);
  if (!existsSync(file)) return undefined;
  const example: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (Value.Check(Example, example)) return example;
  throw new Error(`${file} is no example: it needs parameters and an answer`);
}

/** The schema of an object whose members have these values as their examples. */
export function withMemberExamples<S extends { readonly properties: Readonly<Record<string, object>> }>(
  schema: S,
  values: Readonly<Record<string, unknown>>,
): S {
  const members = Object.entries(schema.properties).map(([name, member]): [string, object] => [
    name,
    name in values ? { ...member, examples: [values[name]] } : member,
  ]);
  return { ...schema, properties: Object.fromEntries(members) };
}

/** The schema with one example of a whole value. */
export function withExample<S extends object>(schema: S, value: unknown): S {
  return { ...schema, examples: [value] };
}
