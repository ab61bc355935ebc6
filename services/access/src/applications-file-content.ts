/*
 * Parses the text of the applications file into grants and settings of applications. A file with a fault is refused
 * entirely, with the place, the value received and what is allowed. Pure.
 */
import { OUTCOMES, type Outcome } from '@imscope/schemas/outcome.js';
import {
  APPLICATION_STATUSES,
  type ApplicationStatus,
  REGION_PATTERN,
} from '@imscope/schemas/application-state.js';
import { TOKEN_SCOPES } from '@imscope/schemas/registry-entry.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { type ApplicationSettings, NO_APPLICATION_SETTINGS } from './application-settings.js';
import type { Grant } from './grant.js';

const RATE_MAX = 1_000_000_000;
const Rate = Type.Integer({ minimum: 1, maximum: RATE_MAX });
const ApplicationId = Type.Integer({ minimum: 1, maximum: REQUEST_LOG_BOUNDS.sdkAppIdMax });
const strict = { additionalProperties: false };

const TokenEntry = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 64 }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    scope: Type.Union(TOKEN_SCOPES.map((scope) => Type.Literal(scope))),
    applications: Type.Union([Type.Literal('all'), Type.Array(ApplicationId, { maxItems: 10_000 })]),
    expires: Type.Optional(
      Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$' }),
    ),
    records_per_second_max: Type.Optional(Rate),
  },
  strict,
);

const LOGGED_SHARE_MIN = 0.001;

const LIMITS = { quota_per_second: Type.Optional(Rate), limit_per_second: Type.Optional(Rate) };

const ApplicationEntry = Type.Object(
  {
    sdk_app_id: ApplicationId,
    status: Type.Optional(Type.Union(APPLICATION_STATUSES.map((status) => Type.Literal(status)))),
    region: Type.Optional(Type.String({ pattern: REGION_PATTERN })),
    ...LIMITS,
    logged_share: Type.Optional(Type.Number({ minimum: LOGGED_SHARE_MIN, maximum: 1 })),
    codes: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^-?\\d{1,10}$' }),
        Type.Union(OUTCOMES.map((outcome) => Type.Literal(outcome))),
        { maxProperties: 1_000 },
      ),
    ),
    interfaces: Type.Optional(
      Type.Record(
        Type.String({ minLength: 1, maxLength: REQUEST_LOG_BOUNDS.interfaceLengthMax }),
        Type.Object({ limit_per_second: Type.Optional(Rate), waits: Type.Optional(Type.Boolean()) }, strict),
        { maxProperties: 200 },
      ),
    ),
  },
  strict,
);

const ApplicationsFile = Type.Object(
  {
    tokens: Type.Array(TokenEntry, { maxItems: 10_000 }),
    application_defaults: Type.Optional(Type.Object(LIMITS, strict)),
    applications: Type.Optional(Type.Array(ApplicationEntry, { maxItems: 100_000 })),
  },
  strict,
);

type ApplicationsFile = Static<typeof ApplicationsFile>;
type TokenEntry = Static<typeof TokenEntry>;

export type ApplicationsFileContent = {
  readonly grants: ReadonlyMap<string, Grant>;
  readonly applications: ReadonlyMap<number, ApplicationSettings>;
  readonly defaults: ApplicationSettings;
};

/** The values allowed at a place, by the last name of its path. */
const ALLOWED: Readonly<Record<string, string>> = {
  tokens: 'an array of at most 10,000 tokens',
  name: 'a name of 1 to 64 characters',
  sha256: 'the SHA-256 of the token in 64 lower-case hex digits',
  scope: '"write", "read", "requests" or "admin"',
  applications: 'for a token "all" or an array of SDKAppIDs; else an array of {"sdk_app_id":…}',
  expires: 'RFC 3339 such as 2030-01-02T03:04:05Z',
  records_per_second_max: `a whole number from 1 to ${RATE_MAX}, or leave it out for no limit`,
  quota_per_second: `a whole number from 1 to ${RATE_MAX}, or leave it out for no quota`,
  limit_per_second: `a whole number from 1 to ${RATE_MAX}, or leave it out for no limit`,
  logged_share: `a number from ${LOGGED_SHARE_MIN} to 1, or leave it out for 1`,
  status: `one of ${APPLICATION_STATUSES.join(', ')}, or leave it out for active`,
  region: 'a region in lower-case letters, digits and dashes such as singapore, or leave it out for any',
  sdk_app_id: `a whole number from 1 to ${REQUEST_LOG_BOUNDS.sdkAppIdMax}`,
  interfaces:
    'an object of at most 200 interfaces, such as {"openim/sendmsg":{"limit_per_second":500,"waits":false}}',
  waits: 'true or false, or leave it out for false',
  codes: `an object of at most 1,000 codes, each one of ${OUTCOMES.join(', ')}`,
};

/** @throws Error that names the place, the value and what is allowed */
export function parseApplicationsFile(text: string): ApplicationsFileContent {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new Error('it is not JSON: give {"tokens":[…],"applications":[…]}', { cause: error });
  }
  if (!Value.Check(ApplicationsFile, parsed)) throw malformed(parsed);
  const defaults = {
    ...settingsOf(parsed.application_defaults ?? {}, '/application_defaults'),
    known: false,
  };
  return { grants: readGrants(parsed.tokens), applications: readApplications(parsed, defaults), defaults };
}

function malformed(parsed: unknown): Error {
  const [first] = Value.Errors(ApplicationsFile, parsed);
  const path = first?.instancePath ?? '';
  const names = path.split('/').filter((name) => name !== '' && !/^-?\d+$/.test(name));
  // A name that stands where none of this name may, such as the name of a token in an application.
  if (first?.keyword === 'boolean')
    return new Error(`at ${path} stands a name that is unknown here: leave it out`);
  const allowed = ALLOWED[names.at(-1) ?? ''];
  return wrong(
    path === '' ? '/' : path,
    shown(valueAt(parsed, path)),
    allowed ?? first?.message ?? 'what the README describes',
  );
}

/** Objects and arrays are only named, not printed: they may be nested deeper than the stack. */
function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function wrong(path: string, received: string, allowed: string): Error {
  return new Error(`at ${path} stands ${received}: give ${allowed}`);
}

function valueAt(parsed: unknown, path: string): unknown {
  let value = parsed;
  for (const name of path.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined;
    const member = name.replaceAll('~1', '/').replaceAll('~0', '~');
    value = Object.entries(value).find(([key]) => key === member)?.[1];
  }
  return value;
}

/** Two tokens may share a name, so that one can replace the other; then they differ in sha256 and expires alone. */
function readGrants(entries: ApplicationsFile['tokens']): Map<string, Grant> {
  const grants = new Map<string, Grant>();
  const byName = new Map<string, TokenEntry[]>();
  for (const [index, entry] of entries.entries()) {
    const path = `/tokens/${index}`;
    const others = byName.get(entry.name) ?? [];
    byName.set(entry.name, [...others, entry]);
    if (grants.has(entry.sha256)) {
      throw wrong(`${path}/sha256`, `"${entry.sha256}" a second time`, 'each token once');
    }
    if (others.length >= 2) {
      throw wrong(`${path}/name`, `"${entry.name}" a third time`, 'a name to at most two tokens');
    }
    const [other] = others;
    if (other !== undefined && sharedFields(other) !== sharedFields(entry)) {
      throw wrong(
        path,
        `another scope, applications or records_per_second_max than the first token named "${entry.name}" has`,
        'both tokens of a name the same, only sha256 and expires may differ',
      );
    }
    grants.set(entry.sha256, grantOf(entry, path));
  }
  return grants;
}

function sharedFields({ scope, applications, records_per_second_max: rate }: TokenEntry): string {
  return JSON.stringify([
    scope,
    applications === 'all' ? applications : applications.toSorted((a, b) => a - b),
    rate,
  ]);
}

function grantOf(entry: TokenEntry, path: string): Grant {
  const expiresMs = entry.expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(entry.expires);
  if (Number.isNaN(expiresMs)) {
    throw wrong(`${path}/expires`, `"${String(entry.expires)}"`, 'a time that exists, in RFC 3339');
  }
  return {
    name: entry.name,
    scope: entry.scope,
    applications: entry.applications === 'all' ? 'all' : new Set(entry.applications),
    tokenHash: entry.sha256,
    recordsPerSecondMax: entry.records_per_second_max ?? Number.POSITIVE_INFINITY,
    expiresMs,
  };
}

function readApplications(
  parsed: ApplicationsFile,
  defaults: ApplicationSettings,
): Map<number, ApplicationSettings> {
  const applications = new Map<number, ApplicationSettings>();
  for (const [index, entry] of (parsed.applications ?? []).entries()) {
    const path = `/applications/${index}`;
    if (applications.has(entry.sdk_app_id)) {
      throw wrong(`${path}/sdk_app_id`, `${entry.sdk_app_id} a second time`, 'each application once');
    }
    applications.set(entry.sdk_app_id, settingsOf({ ...limitsOf(defaults), ...entry }, path));
  }
  return applications;
}

function limitsOf({ quotaPerSecond, limitPerSecond }: ApplicationSettings) {
  return { quota_per_second: quotaPerSecond, limit_per_second: limitPerSecond };
}

function settingsOf(
  entry: Partial<ReturnType<typeof limitsOf>> & {
    readonly status?: ApplicationStatus;
    readonly region?: string;
    readonly logged_share?: number;
    readonly codes?: Readonly<Record<string, Outcome>>;
    readonly interfaces?: Readonly<
      Record<string, { readonly limit_per_second?: number; readonly waits?: boolean }>
    >;
  },
  path: string,
): ApplicationSettings {
  const quotaPerSecond = entry.quota_per_second ?? NO_APPLICATION_SETTINGS.quotaPerSecond;
  const limitPerSecond = entry.limit_per_second ?? NO_APPLICATION_SETTINGS.limitPerSecond;
  if (Number.isFinite(quotaPerSecond) && limitPerSecond < quotaPerSecond) {
    throw wrong(
      `${path}/limit_per_second`,
      `${limitPerSecond}, less than the quota of ${quotaPerSecond}`,
      'a limit of at least the quota: beyond the quota successes are sampled, beyond the limit all is refused',
    );
  }
  const codes = Object.entries(entry.codes ?? {}).map(([code, outcome]) => {
    const number = Number(code);
    if (number < REQUEST_LOG_BOUNDS.codeMin || number > REQUEST_LOG_BOUNDS.codeMax) {
      throw wrong(`${path}/codes`, code, 'codes that are 32-bit whole numbers');
    }
    return [number, outcome] as const;
  });
  return {
    known: true,
    status: entry.status ?? NO_APPLICATION_SETTINGS.status,
    region: entry.region ?? NO_APPLICATION_SETTINGS.region,
    quotaPerSecond,
    limitPerSecond,
    loggedShare: entry.logged_share ?? NO_APPLICATION_SETTINGS.loggedShare,
    codes: codes.length === 0 ? NO_APPLICATION_SETTINGS.codes : new Map(codes),
    interfaces: interfacesOf(entry.interfaces),
    sloTargets: NO_APPLICATION_SETTINGS.sloTargets,
  };
}

function interfacesOf(
  interfaces: Readonly<Record<string, { readonly limit_per_second?: number; readonly waits?: boolean }>> = {},
): ApplicationSettings['interfaces'] {
  const entries = Object.entries(interfaces).map(
    ([name, { limit_per_second: limit, waits = false }]) =>
      [name, { limitPerSecond: limit ?? null, waits }] as const,
  );
  return entries.length === 0 ? NO_APPLICATION_SETTINGS.interfaces : new Map(entries);
}
