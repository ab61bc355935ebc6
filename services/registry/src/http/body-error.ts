/* The error answer to a body that its schema refuses: where, what was received, what is allowed. */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { describeParameterFault } from '@imscope/runtime/parameter-error.js';
import type { FastifySchemaValidationError } from 'fastify/types/schema.js';
import type { ErrorObject } from 'ajv';
import { describeFaults, faultsOfSchema } from '../applications/check-state.js';

/** @param part `querystring`, `params`, `headers` or `body` */
export function requestError(failures: FastifySchemaValidationError[], part: string): HttpError {
  if (part !== 'body') return describeParameterFault(failures);
  const faults = faultsOfSchema(failures.map(asErrorObject));
  return new HttpError('invalid_parameter', `${describeFaults(faults)}. Nothing was changed`);
}

/** Ajv's own error, of which Fastify declares only a part. `verbose` gives it data and schema. */
function asErrorObject(failure: FastifySchemaValidationError & Partial<ErrorObject>): ErrorObject {
  return { ...failure };
}
