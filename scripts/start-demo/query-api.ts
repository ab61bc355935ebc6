/*
 * What the start command asks the query service, as any client would: applications and a sign-in code.
 */
import { ApplicationRow, answerOf } from '@imscope/schemas/query-api/answers.js';
import { SignInCode, SIGN_IN_FRAGMENT } from '@imscope/schemas/query-api/session.js';
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';

const TIMEOUT_MS = 20_000;
const Applications = answerOf(Type.Array(ApplicationRow));

/** Worst first. @param from such as now-15m */
export async function fetchApplications(url: string, token: string, from: string): Promise<ApplicationRow[]> {
  const answer = await ask(Applications, `${url}/v1/applications?from=${from}`, 'GET', token);
  return answer.data;
}

/** A link that signs a browser in once, within ten minutes. */
export async function createSignInLink(url: string, token: string): Promise<string> {
  const { code } = await ask(SignInCode, `${url}/v1/sign-in-codes`, 'POST', token);
  return `${url}/#${SIGN_IN_FRAGMENT}=${code}`;
}

async function ask<T extends TSchema>(
  schema: T,
  url: string,
  method: 'GET' | 'POST',
  token: string,
): Promise<Static<T>> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const body: unknown = await response.json();
  if (!response.ok)
    throw new Error(`${method} ${url} was answered ${response.status}: ${JSON.stringify(body)}`);
  if (!Value.Check(schema, body)) throw new Error(`${method} ${url} was answered in an unknown form`);
  return body;
}
