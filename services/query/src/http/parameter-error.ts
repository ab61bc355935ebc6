/*
 * Turns a failed check of a request's parameters into our error answer: which parameter, what was received,
 * what is allowed. The content of a body may be secret and is never repeated.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { shortened } from '@imscope/runtime/query-parameters.js';
import type { FastifySchemaValidationError } from 'fastify/types/schema.js';

type Failure = FastifySchemaValidationError & {
  readonly data?: unknown;
  readonly parentSchema?: {
    readonly properties?: object;
    readonly description?: string;
    readonly enum?: readonly string[];
  };
};

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
      `"${shortened(unknown)}" is no parameter here: ${allowed === '' ? 'there are none, leave it out' : `give any of ${allowed}`}`,
    );
  }
  const name = failure.instancePath.split('/')[1] ?? 'a parameter';
  return new HttpError(
    'invalid_parameter',
    `${name} is ${shortened(JSON.stringify(failure.data) ?? 'missing')}: ${allowedBy(failure)}`,
  );
}

const WRITTEN: Readonly<Record<string, string>> = {
  'must be integer': 'give a whole number in decimal digits, without sign, exponent or leading zeros',
  'must be number': 'give a number in decimal digits, such as 0.5 or 500, without exponent or leading zeros',
  'must be string': 'give it once',
};

function allowedBy({ keyword, message = 'not allowed', parentSchema }: Failure): string {
  if (parentSchema?.enum !== undefined) return `give ${parentSchema.enum.join(', ')}`;
  const description = parentSchema?.description;
  // A description is easier to read than a pattern.
  if (keyword === 'pattern' && description !== undefined) return `give ${description}`;
  const written = keyword === 'type' ? WRITTEN[message] : undefined;
  return [message, written, description].filter((part) => part !== undefined).join('; ');
}
