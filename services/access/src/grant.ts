/* What one token allows: a scope, applications and a rate. */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { permits, type TokenScope } from '@imscope/schemas/registry-entry.js';

export type Scope = TokenScope;

export const VERBS: Readonly<Record<Scope, string>> = {
  write: 'write',
  read: 'read',
  requests: 'read single requests',
  admin: 'administer',
};

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

/** Throws `HttpError` not_allowed, which names both scopes. */
export function requireScope(grant: Pick<Grant, 'name' | 'scope'>, wanted: Scope): void {
  if (permits(grant.scope, wanted)) return;
  throw new HttpError(
    'not_allowed',
    `"${grant.name}" has scope ${grant.scope} and may ${VERBS[grant.scope]}, ` +
      `this address wants a token that may ${VERBS[wanted]}: ask for one with scope ${wanted}`,
  );
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
