/*
 * Who may do what: bearer tokens out of one file that holds only their SHA-256. A token may write (gateways) or
 * read (dashboards), for all applications or a list. The file is read again when it changes, so a token that is
 * taken out stops working within seconds; a file that does not hold together leaves the last good one in force.
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { HttpError } from './http-errors.js';
import type { Logger } from './logger.js';

const TokenFile = Type.Object(
  {
    tokens: Type.Array(
      Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 64 }),
          sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
          scope: Type.Union([Type.Literal('write'), Type.Literal('read')]),
          applications: Type.Union([
            Type.Literal('all'),
            Type.Array(Type.Integer({ minimum: 1 }), { maxItems: 10_000 }),
          ]),
        },
        { additionalProperties: false },
      ),
      { maxItems: 10_000 },
    ),
  },
  { additionalProperties: false },
);

export type Scope = 'write' | 'read';

/** Whom a request comes from and for which applications it may speak. */
export type Grant = {
  readonly name: string;
  readonly scope: Scope;
  readonly applications: 'all' | ReadonlySet<number>;
  /** SHA-256 of the token, as in the file: tells a grant from others of the same name. */
  readonly tokenHash: string;
};

export type Tokens = {
  /** The grant behind an `Authorization` header. Throws `HttpError` missing_token, invalid_token or not_allowed. */
  authenticate(authorization: string | undefined, scope: Scope): Grant;
  /** The grant of a token known by its hash, as sessions carry it; undefined once it was taken out of the file. */
  find(tokenHash: string, scope: Scope): Grant | undefined;
  stop(): void;
};

const RELOAD_INTERVAL_MS = 5_000;

/** Reads a token file. Throws where it is missing or malformed: a service does not start without. */
export function openTokens(path: string, logger: Logger, reloadIntervalMs = RELOAD_INTERVAL_MS): Tokens {
  let grants = readGrants(path);
  let modifiedMs = statSync(path).mtimeMs;
  const reload = (): void => {
    try {
      const { mtimeMs } = statSync(path);
      if (mtimeMs === modifiedMs) return;
      modifiedMs = mtimeMs;
      grants = readGrants(path);
      logger.info({ path, tokens: grants.size }, 'token file read again');
    } catch (error) {
      logger.error({ err: error, path }, 'token file cannot be read again: the last good one stays in force');
    }
  };
  const timer = setInterval(reload, reloadIntervalMs);
  timer.unref();
  return {
    authenticate: (authorization, scope) => authenticate(grants, authorization, scope),
    find: (tokenHash, scope) => {
      const grant = grants.get(tokenHash);
      return grant?.scope === scope ? grant : undefined;
    },
    stop: () => clearInterval(timer),
  };
}

/** True where a grant speaks for this application. */
export function mayUse(grant: Grant, sdkAppId: number): boolean {
  return grant.applications === 'all' || grant.applications.has(sdkAppId);
}

/** What stands in the token file for a token. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function readGrants(path: string): Map<string, Grant> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`token file ${path} cannot be read: give a JSON file {"tokens":[…]}`, { cause: error });
  }
  if (!Value.Check(TokenFile, parsed)) {
    const [first] = Value.Errors(TokenFile, parsed);
    throw new Error(
      `token file ${path} is malformed at ${first?.instancePath ?? '/'}: ${first?.message ?? 'unknown'}`,
    );
  }
  return new Map(
    parsed.tokens.map(({ name, sha256, scope, applications }) => [
      sha256,
      {
        name,
        scope,
        applications: applications === 'all' ? 'all' : new Set(applications),
        tokenHash: sha256,
      },
    ]),
  );
}

function authenticate(
  grants: ReadonlyMap<string, Grant>,
  authorization: string | undefined,
  scope: Scope,
): Grant {
  const token = /^Bearer ([\w\-.~+/]{16,256}=*)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) {
    throw new HttpError('missing_token', 'no bearer token received: send "Authorization: Bearer <token>"');
  }
  // Found by hash, so the time a look-up takes says nothing about any token.
  const grant = grants.get(hashToken(token));
  if (grant === undefined) throw new HttpError('invalid_token', 'this token is not known: ask for a new one');
  if (grant.scope !== scope) {
    throw new HttpError(
      'not_allowed',
      `token "${grant.name}" may ${grant.scope}, this address wants one that may ${scope}`,
    );
  }
  return grant;
}
