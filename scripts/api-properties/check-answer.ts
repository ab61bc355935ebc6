/*
 * Checks an answer: its status and body are as the operation's description says, errors have the one error format, and
 * the only 5xx are 503 and 504 with `Retry-After`.
 */
import { ERROR_STATUS } from '@imscope/runtime/http-errors.js';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { OpenApi, Operation } from './openapi-document.js';
import type { ApiRequest } from './requests.js';
import type { ApiAnswer } from './send-request.js';

const ErrorBody = Type.Object({ error: Type.Object({ code: Type.String(), message: Type.String() }) });

/** Statuses of requests that do not reach the operation: another path, another method, or invalid HTTP. */
const BEFORE_ROUTE: ReadonlySet<number> = new Set([400, 404, 405]);

/** @returns what is wrong with an answer; undefined if it is valid */
export function answerFault(
  request: ApiRequest,
  { status, headers, body }: ApiAnswer,
  operation: Operation,
  api: OpenApi,
): string | undefined {
  const described = request.method === operation.method ? operation.responses[status] : undefined;
  if (status >= 500 && (described === undefined || !isTemporary(status, headers))) {
    return `${status}, which no request may get`;
  }
  if (status === 405 && !isAllowRight(headers['allow'], operationAt(request.target, api) ?? operation)) {
    return `405 with Allow: ${String(headers['allow'])}`;
  }
  if (described === undefined && !BEFORE_ROUTE.has(status)) return `${status}, which is not described`;
  const missing = Object.entries(described?.headers ?? {})
    .filter(([name, { required }]) => required === true && headers[name.toLowerCase()] === undefined)
    .map(([name]) => name);
  if (missing.length > 0) return `${status} without ${missing.join(', ')}`;
  if (described?.content !== undefined) return bodyFault(described.content, headers, body, api);
  if (status >= 400) return errorFault(status, body);
  return body.length === 0 ? undefined : `${status} with a body that is not described`;
}

function isTemporary(status: number, headers: ApiAnswer['headers']): boolean {
  return (status === 503 || status === 504) && headers['retry-after'] !== undefined;
}

/** An operation of the path that a changed address leads to, the one with the fewest parameters. */
function operationAt(target: string, { operations }: OpenApi): Operation | undefined {
  const [path = ''] = target.split('?', 1);
  const matching = operations.filter((one) => {
    // Our routers take an empty last segment for a parameter.
    const pattern = one.path.replaceAll(/[.*+?^$()|[\]\\]/g, String.raw`\$&`).replaceAll(/\{\w+\}/g, '[^/]*');
    return new RegExp(`^${pattern}$`).test(path);
  });
  return matching.toSorted((a, b) => a.path.split('{').length - b.path.split('{').length)[0];
}

/** All methods of the path, and HEAD, which is never described, or not. */
function isAllowRight(allow: unknown, { pathMethods }: Operation): boolean {
  const given = String(allow)
    .split(', ')
    .filter((method) => method !== 'HEAD');
  return given.toSorted().join() === pathMethods.toSorted().join();
}

function bodyFault(
  content: NonNullable<Operation['responses'][string]['content']>,
  headers: ApiAnswer['headers'],
  body: Buffer,
  api: OpenApi,
): string | undefined {
  const type = String(headers['content-type']).split(';', 1)[0] ?? '';
  const media = content[type];
  if (media === undefined) return `a body of ${type}, which is not described`;
  const { schema = {} } = media;
  if (!type.endsWith('/json')) return undefined;
  const value = parsed(body);
  return value === undefined ? 'a body that is not JSON' : api.fault(schema, value);
}

function errorFault(status: number, body: Buffer): string | undefined {
  const value = parsed(body);
  if (!Value.Check(ErrorBody, value))
    return `an error of another form: ${body.toString('utf8').slice(0, 200)}`;
  const { code } = value.error;
  const known = Object.entries(ERROR_STATUS).some(([name, of]) => name === code && of === status);
  return known ? undefined : `the code ${code} under ${status}`;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
