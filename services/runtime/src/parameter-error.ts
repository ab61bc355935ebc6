/*
 * Turns a failed check of a request's parameters into our error answer: which parameter, what was received, what is
 * allowed.
 */
import { HttpError } from './http-errors.js';
import { shortened } from './query-parameters.js';
import type { FastifySchemaValidationError } from 'fastify/types/schema.js';

type Failure = FastifySchemaValidationError & {
  readonly data?: unknown;
  readonly parentSchema?: {
    readonly properties?: Readonly<Record<string, { readonly description?: string }>>;
    readonly description?: string;
    readonly enum?: readonly string[];
  };
};

/** @param failures of the parameters in a path, a query or a body */
export function describeParameterFault(failures: FastifySchemaValidationError[]): HttpError {
  return describeFaultWithout([], failures);
}

/** @param hidden parameters whose values may be personal: they are not repeated */
export function describeFaultWithout(
  hidden: readonly string[],
  failures: FastifySchemaValidationError[],
): HttpError {
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
  const name = failure.instancePath.split('/')[1];
  if (name === undefined && failure.keyword === 'required') {
    const missing = String(failure.params['missingProperty']);
    const description = failure.parentSchema?.properties?.[missing]?.description;
    return new HttpError('invalid_parameter', `${missing} is missing: give ${description ?? 'it'}`);
  }
  if (name === undefined && failure.keyword === 'type') {
    return new HttpError('invalid_parameter', 'the body is no JSON object: give one with the parameters');
  }
  const received =
    name !== undefined && hidden.includes(name)
      ? 'not as it must be'
      : shortened(JSON.stringify(failure.data) ?? 'missing');
  return new HttpError('invalid_parameter', `${name ?? 'a parameter'} is ${received}: ${allowedBy(failure)}`);
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
