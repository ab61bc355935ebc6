/*
 * Asks the service and checks that what comes back has the shape the contract says, envelope and all.
 */
import assert from 'node:assert/strict';
import { answerOf, ErrorAnswer } from '@imscope/schemas/query-api/envelope.js';
import type { FastifyInstance } from 'fastify';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { READ_ALL } from './query-under-test.js';

type Values = Readonly<Record<string, string | readonly string[]>>;

/** An address with its parameters; a list gives a parameter more than once. */
export function addressOf(path: string, query: Values = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) search.append(name, one);
  }
  return `/v1/${path}?${search.toString()}`;
}

export async function readAnswer<T extends TSchema>(
  app: FastifyInstance,
  data: T,
  path: string,
  query: Values = {},
  token = READ_ALL,
) {
  const response = await app.inject({
    url: addressOf(path, query),
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(response.statusCode, 200, response.body);
  const answer: unknown = response.json();
  const schema = answerOf(data);
  assertShape(schema, answer);
  return answer;
}

function assertShape<T extends TSchema>(schema: T, value: unknown): asserts value is Static<T> {
  const [first] = Value.Errors(schema, value);
  assert.ok(Value.Check(schema, value), `${first?.instancePath}: ${first?.message}`);
}

/** Asserts an error answer in the one form; gives its message. */
export function assertError(
  response: { statusCode: number; body: string },
  status: number,
  code: string,
): string {
  assert.equal(response.statusCode, status, response.body);
  const answer: unknown = JSON.parse(response.body);
  assertShape(ErrorAnswer, answer);
  assert.equal(answer.error.code, code, response.body);
  return answer.error.message;
}
