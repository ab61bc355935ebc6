/*
 * What the registry distributes to collectors, agents and query services: tokens, and of each application what the hot
 * path obeys. One entry a key, replaced as a whole; revisions grow in the order of the changes. Entries travel as JSON
 * through Redis or through a compacted topic, and are kept by their receivers in a local file.
 */
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { OUTCOMES } from './outcome.js';
import { APPLICATION_STATUSES, REGION_PATTERN } from './registry-api/identity.js';

const Rate = Type.Integer({ minimum: 1 });

/** Limits of applications for which none are set, and of those the registry does not know. */
const DefaultsEntry = Type.Object({
  kind: Type.Literal('defaults'),
  quota_per_second: Type.Optional(Rate),
  limit_per_second: Type.Optional(Rate),
});

const ApplicationEntry = Type.Object({
  kind: Type.Literal('application'),
  sdk_app_id: Type.Integer({ minimum: 1 }),
  status: Type.Enum([...APPLICATION_STATUSES]),
  region: Type.String({ pattern: REGION_PATTERN }),
  quota_per_second: Type.Optional(Rate),
  limit_per_second: Type.Optional(Rate),
  /** Left out: all. */
  logged_share: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
  codes: Type.Optional(Type.Record(Type.String(), Type.Enum([...OUTCOMES]))),
  slo_targets: Type.Optional(Type.Array(Type.Unknown())),
});
export type ApplicationEntry = Static<typeof ApplicationEntry>;

export const TOKEN_SCOPES = ['write', 'read', 'admin'] as const;
export type TokenScope = (typeof TOKEN_SCOPES)[number];

const TokenEntry = Type.Object({
  kind: Type.Literal('token'),
  name: Type.String({ minLength: 1, maxLength: 64 }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  scope: Type.Enum([...TOKEN_SCOPES]),
  applications: Type.Union([Type.Literal('all'), Type.Array(Type.Integer({ minimum: 1 }))]),
  expires_ms: Type.Optional(Type.Integer()),
  records_per_second_max: Type.Optional(Rate),
});
export type TokenEntry = Static<typeof TokenEntry>;

export const RegistryEntry = Type.Union([ApplicationEntry, TokenEntry, DefaultsEntry]);
export type RegistryEntry = Static<typeof RegistryEntry>;

/** A change of one key. `entry` is null where the key is deleted. */
export const EntryChange = Type.Object({
  key: Type.String(),
  revision: Type.Integer({ minimum: 1 }),
  entry: Type.Union([RegistryEntry, Type.Null()]),
});
export type EntryChange = Static<typeof EntryChange>;

/** `application/1400000001`, `token/<sha256>` or `defaults`. */
export function entryKey(entry: RegistryEntry): string {
  if (entry.kind === 'application') return `application/${entry.sdk_app_id}`;
  return entry.kind === 'token' ? `token/${entry.sha256}` : 'defaults';
}

/** @returns undefined where the text is not a change */
export function parseEntryChange(text: string): EntryChange | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  return Value.Check(EntryChange, parsed) ? parsed : undefined;
}

/** The compacted topic of entries: one partition, so that revisions are in order. Key: the entry's; value: an `EntryChange`. */
export const ENTRY_TOPIC = 'im.registry-entry';

/** Names of the keys in Redis; `prefix` is a setting, `imscope` by default. */
export function redisNames(prefix: string) {
  return {
    /** Hash: entry key → `EntryChange` as JSON; deleted keys stay as changes with a null entry for a day. */
    entries: `${prefix}:registry:entries`,
    /** Sorted set: entry keys by revision, so that a receiver reads what changed since. */
    revisions: `${prefix}:registry:revisions`,
    /** The newest revision that is in the hash. */
    revision: `${prefix}:registry:revision`,
    /** Channel: the newest revision, published after it is in the hash. */
    channel: `${prefix}:registry:changes`,
  };
}
