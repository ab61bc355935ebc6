/*
 * What the registry distributes to collectors, agents and query services: tokens, and of each application what the hot
 * path obeys. One entry a key, replaced as a whole; revisions grow in the order of the changes. Entries travel as JSON
 * through Redis or through a compacted topic, and are kept by their receivers in a local file.
 */
import { type Static, Type } from 'typebox';
import { APPLICATION_STATUSES, REGION_PATTERN } from './application-state.js';
import { OUTCOMES } from './outcome.js';
import { HOUR_MS } from './retention.js';

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
  interfaces: Type.Optional(
    Type.Array(
      Type.Object({
        interface: Type.String(),
        limit_per_second: Type.Union([Rate, Type.Null()]),
        waits: Type.Boolean(),
      }),
    ),
  ),
});
export type ApplicationEntry = Static<typeof ApplicationEntry>;

export const TOKEN_SCOPES = ['write', 'read', 'requests', 'admin'] as const;
export type TokenScope = (typeof TOKEN_SCOPES)[number];

/**
 * What a token of each scope may do. `write`: send records. `read`: read figures. `requests`: read single requests too,
 * live or as a file, with masked addresses. `admin`: administer the registry too.
 */
const SCOPE_INCLUDES: Readonly<Record<TokenScope, readonly TokenScope[]>> = {
  write: ['write'],
  read: ['read'],
  requests: ['requests', 'read'],
  admin: ['admin', 'requests', 'read'],
};

/** True where a token of this scope may do what `wanted` names. */
export function permits(scope: TokenScope, wanted: TokenScope): boolean {
  return SCOPE_INCLUDES[scope].includes(wanted);
}

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

/** How long a deleted key stays as a change with a null entry, for receivers that were away. */
export const DELETED_ENTRY_KEPT_MS = 24 * HOUR_MS;

/**
 * The compacted topic of entries: one partition, so that revisions are in order. Key: the entry's; value: an
 * `EntryChange`. A deleted key is a change with a null entry, and a day later a tombstone of Kafka (no value).
 */
export const ENTRY_TOPIC = 'im.registry-entry';

/**
 * The broker settings of that topic. It holds configuration, so the terms of `retention.ts`, which are about log data, do
 * not concern it: what is deleted in the registry is deleted here by a change with a null entry, at once for every reader,
 * and from the brokers' disks by compaction after `delete.retention.ms`.
 */
export const ENTRY_TOPIC_SETTINGS: Readonly<Record<string, string>> = {
  'cleanup.policy': 'compact',
  'delete.retention.ms': String(DELETED_ENTRY_KEPT_MS),
  'min.cleanable.dirty.ratio': '0.1',
  // A segment is compacted once it is no longer written to.
  'segment.ms': String(HOUR_MS),
  'max.message.bytes': String(1 << 20),
};

/**
 * Keys of the two messages around a complete publication in the topic. Between them are all keys in force; a key that is
 * only before them is deleted. The value of both is an `EntryPosition` as JSON.
 */
export const PUBLICATION_KEYS = { begin: 'publication/begin', complete: 'publication/complete' } as const;

/**
 * How far a receiver or a sink is. `generation` names one complete publication: where it changes, receivers read
 * everything again, and forget the keys that are not there. `revision` is the newest change.
 */
export const EntryPosition = Type.Object({
  generation: Type.String({ minLength: 1, maxLength: 64 }),
  revision: Type.Integer({ minimum: 0 }),
});
export type EntryPosition = Static<typeof EntryPosition>;

/** Names of the keys in Redis; `prefix` is a setting, `imscope` by default. */
export function redisNames(prefix: string) {
  return {
    /** Hash: entry key → `EntryChange` as JSON; deleted keys stay as changes with a null entry for a day. */
    entries: `${prefix}:registry:entries`,
    /** Sorted set: entry keys by revision, so that a receiver reads what changed since. */
    revisions: `${prefix}:registry:revisions`,
    /** The newest revision that is in the hash. Missing while the hash is not complete. */
    revision: `${prefix}:registry:revision`,
    /** The generation of the hash, see `EntryPosition`. */
    generation: `${prefix}:registry:generation`,
    /** The newest deletion that is no longer in the hash: a receiver that is older reads everything again. */
    floor: `${prefix}:registry:floor`,
    /** Channel: the newest revision, published after it is in the hash. */
    channel: `${prefix}:registry:changes`,
  };
}
