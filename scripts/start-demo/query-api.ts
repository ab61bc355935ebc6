/*
 * What the start command asks the query service, as any client would: applications and a sign-in code.
 */
import type { ApplicationRow } from '@imscope/schemas/query-api/applications.js';
import { createAsk } from '@imscope/schemas/query-api/ask.js';
import { SignInCode, SIGN_IN_FRAGMENT } from '@imscope/schemas/query-api/session.js';
import { Value } from 'typebox/value';

const TIMEOUT_MS = 20_000;

/** Worst first. @param from such as now-15m */
export async function fetchApplications(url: string, token: string, from: string): Promise<ApplicationRow[]> {
  const ask = createAsk((path, { method }) => send(`${url}${path}`, method, token));
  const { data } = await ask('applications', { from });
  return data.applications;
}

/** A link that signs a browser in once, within ten minutes. */
export async function createSignInLink(url: string, token: string): Promise<string> {
  const address = `${url}/v1/sign-in-codes`;
  const response = await send(address, 'POST', token);
  const body: unknown = await response.json();
  if (!response.ok)
    throw new Error(`POST ${address} was answered ${response.status}: ${JSON.stringify(body)}`);
  if (!Value.Check(SignInCode, body)) throw new Error(`POST ${address} was answered in an unknown form`);
  return `${url}/#${SIGN_IN_FRAGMENT}=${body.code}`;
}

function send(address: string, method: 'GET' | 'POST', token: string): Promise<Response> {
  return fetch(address, {
    method,
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
}
