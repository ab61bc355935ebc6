/*
 * Turns a failed check of a request's parameters into our error answer: which parameter, what was received,
 * what is allowed. What stands in a body may be a secret and is never repeated.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { FastifySchemaValidationError } from 'fastify/types/schema.js';

type Failure = FastifySchemaValidationError & {
  readonly data?: unknown;
  readonly parentSchema?: {
    readonly properties?: object;
    readonly description?: string;
    readonly enum?: readonly string[];
  };
};

const SHOWN_LENGTH_MAX = 80;

/** @param part `querystring`, `params` or `body` */
export function parameterError(failures: FastifySchemaValidationError[], part: string): HttpError {
  if (part === 'body') {
    return new HttpError(
      'invalid_parameter',
      'the body must be a JSON object {"code":"…"} or {"token":"…"} with 16 to 256 characters',
    );
  }
  const failure: Failure | undefined = failures[0];
  if (failure === undefined) return new HttpError('invalid_parameter', 'a parameter is not allowed');
  if (failure.keyword === 'additionalProperties') {
    const unknown = String(failure.params['additionalProperty']);
    const allowed = Object.keys(failure.parentSchema?.properties ?? {}).join(', ');
    return new HttpError(
      'unknown_parameter',
      `"${shorten(unknown)}" is no parameter here: give any of ${allowed}`,
    );
  }
  const name = failure.instancePath.split('/')[1] ?? 'a parameter';
  return new HttpError(
    'invalid_parameter',
    `${name} is ${shorten(JSON.stringify(failure.data) ?? 'missing')}: ${allowedBy(failure)}`,
  );
}

function allowedBy({ keyword, message = 'not allowed', parentSchema }: Failure): string {
  if (parentSchema?.enum !== undefined) return `give ${parentSchema.enum.join(', ')}`;
  const description = parentSchema?.description;
  if (description === undefined) return message;
  // A pattern says less to people than its description.
  return keyword === 'pattern' ? `give ${description}` : `${message}; ${description}`;
}

function shorten(text: string): string {
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}…`;
}
