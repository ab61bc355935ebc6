/* Reads the parameters of a live tail into a filter. A token shows its own applications only. */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { plainInteger, queryPairs, shortened } from '@imscope/runtime/query-parameters.js';
import { type Grant, mayUse, requireApplication } from '@imscope/access/grant.js';
import { OUTCOMES } from '@imscope/schemas/outcome.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import type { NewRequestLog } from '@imscope/schemas/request-log-encoder.js';

export type TapFilter = {
  readonly record: (record: NewRequestLog) => boolean;
  /** @param sdkAppId 0 if the application is unknown */
  readonly rejected: (sdkAppId: number) => boolean;
};

const PARAMETERS = ['application', 'interface', 'outcome'] as const;
type Parameters = Readonly<Partial<Record<(typeof PARAMETERS)[number], string>>>;
/** Outcomes of records, and `rejected` for refused ones. */
export const TAP_OUTCOMES: readonly string[] = [...OUTCOMES, 'rejected'];

/**
 * @param url of the request
 * @throws `HttpError` unknown_parameter, invalid_parameter or not_allowed
 */
export function tapFilter(url: string, grant: Grant): TapFilter {
  const parameters = readParameters(url);
  const application =
    parameters.application === undefined ? undefined : readApplication(parameters.application);
  if (application !== undefined) requireApplication(grant, application);
  const { interface: prefix = '' } = parameters;
  const outcomes = readOutcomes(parameters.outcome);
  const isVisible = (sdkAppId: number): boolean =>
    application === undefined ? mayUse(grant, sdkAppId) : sdkAppId === application;
  return {
    record: (record) =>
      outcomes.has(record.outcome) && isVisible(record.sdk_app_id) && record.interface.startsWith(prefix),
    // A refused record may have no valid interface.
    rejected: (sdkAppId) => outcomes.has('rejected') && prefix === '' && isVisible(sdkAppId),
  };
}

function readParameters(url: string): Parameters {
  const given = new Map<string, string>();
  for (const [name, value] of queryPairs(url)) {
    if (!PARAMETERS.some((known) => known === name)) {
      throw new HttpError(
        'unknown_parameter',
        `parameter "${shortened(name)}" is not known: give ${PARAMETERS.join(', ')}`,
      );
    }
    if (given.has(name) || value.length > REQUEST_LOG_BOUNDS.interfaceLengthMax) {
      throw new HttpError(
        'invalid_parameter',
        `${name} is given more than once, or has more than ${REQUEST_LOG_BOUNDS.interfaceLengthMax} characters`,
      );
    }
    given.set(name, value);
  }
  return Object.fromEntries(given);
}

function readApplication(text: string): number {
  const value = plainInteger(text) ?? 0;
  if (value >= 1 && value <= REQUEST_LOG_BOUNDS.sdkAppIdMax) return value;
  throw new HttpError(
    'invalid_parameter',
    `application is "${shortened(text)}": give a whole number from 1 to ${REQUEST_LOG_BOUNDS.sdkAppIdMax}`,
  );
}

function readOutcomes(text: string | undefined): ReadonlySet<string> {
  if (text === undefined) return new Set(TAP_OUTCOMES);
  const words = text.split(',');
  const stray = words.find((word) => !TAP_OUTCOMES.includes(word));
  if (stray === undefined) return new Set(words);
  throw new HttpError(
    'invalid_parameter',
    `outcome is "${shortened(stray)}": give some of ${TAP_OUTCOMES.join(',')}`,
  );
}
