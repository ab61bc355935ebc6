/* Whether a caller may reach an application. */
import { type Grant, mayUse } from '@imscope/access/grant.js';
import { HttpError } from '@imscope/runtime/http-errors.js';

/** Throws `HttpError` not_allowed, with the same text whether or not there is such an application. */
export function requireAdministered(grant: Grant, sdkAppId: number): void {
  if (mayUse(grant, sdkAppId)) return;
  throw new HttpError(
    'not_allowed',
    `"${grant.name}" may not administer application ${sdkAppId}: ask for a token that may`,
  );
}
