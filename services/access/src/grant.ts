/* What one token allows: a scope, applications and a rate. */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { TokenScope } from '@imscope/schemas/registry-entry.js';

/** `write` is for gateways, `read` for dashboards, `admin` for administrators of the registry, who may read too. */
export type Scope = TokenScope;

export type Grant = {
  /** The sender. Its tokens share this name during a rotation, and its records are counted under it. */
  readonly name: string;
  readonly scope: Scope;
  readonly applications: 'all' | ReadonlySet<number>;
  /** SHA-256 of the token, in hex: distinguishes two grants of one name. */
  readonly tokenHash: string;
  /** Records a second, of all tokens of this name together; infinite where there is no limit. */
  readonly recordsPerSecondMax: number;
  /** The grant ends at this time, epoch milliseconds; infinite where it does not expire. */
  readonly expiresMs: number;
};

/** True where a token of this scope may do what `wanted` names. */
export function permits(scope: Scope, wanted: Scope): boolean {
  return scope === wanted || (scope === 'admin' && wanted === 'read');
}

/** True where the grant covers this application. */
export function mayUse(grant: Grant, sdkAppId: number): boolean {
  return grant.applications === 'all' || grant.applications.has(sdkAppId);
}

/** Throws `HttpError` not_allowed, with the same text whether or not there is such an application. */
export function requireApplication(grant: Grant, sdkAppId: number): void {
  if (!mayUse(grant, sdkAppId)) throw mayNotRead(grant, sdkAppId);
}

/** The same for an application that the grant does not cover, and for one whose data must not be read. */
export function mayNotRead(grant: Grant, sdkAppId: number): HttpError {
  return new HttpError(
    'not_allowed',
    `"${grant.name}" may not read application ${sdkAppId}: ask for a token that may`,
  );
}
