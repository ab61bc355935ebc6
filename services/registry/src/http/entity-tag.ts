/* An application's revision as an ETag, and the revision that a caller changes, from If-Match (RFC 9110, 8.8.3 and 13.1.1). */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { shortened } from '@imscope/runtime/query-parameters.js';

export function entityTag(revision: number): string {
  return `"${revision}"`;
}

/** The ETag of an answer that is or holds one application; undefined for others. */
export function entityTagOf(answer: object): string | undefined {
  const application = 'application' in answer ? answer.application : answer;
  if (typeof application !== 'object' || application === null || !('revision' in application))
    return undefined;
  return typeof application.revision === 'number' ? entityTag(application.revision) : undefined;
}

/** @throws HttpError precondition_required without the header, invalid_parameter where it is no ETag of ours */
export function readIfMatch(header: string | undefined): number {
  if (header === undefined) {
    throw new HttpError(
      'precondition_required',
      'there is no If-Match: send the ETag of the application as you read it, so that no other change is lost',
    );
  }
  const revision = /^"([1-9]\d{0,14})"$/.exec(header)?.[1];
  if (revision !== undefined) return Number(revision);
  throw new HttpError(
    'invalid_parameter',
    `If-Match is ${shortened(header)}: give the ETag of the application, such as "7" with its quotes`,
  );
}
