/*
 * The local copy of what the registry distributes: grants and settings by key. Look-ups are reads of one map. It holds
 * at most `ENTRIES_MAX` entries; further ones are refused until others are deleted.
 */
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import {
  type ApplicationEntry,
  type EntryChange,
  type EntryPosition,
  type RegistryEntry,
  type TokenEntry,
} from '@imscope/schemas/registry-entry.js';
import { type ApplicationSettings, NO_APPLICATION_SETTINGS } from './application-settings.js';
import type { Grant } from './grant.js';

/** An application takes some 100 bytes here, and 300 where its settings are like those of no other. */
export const ENTRIES_MAX = 1_000_000;

type DefaultsEntry = Extract<RegistryEntry, { kind: 'defaults' }>;
/**
 * The entry is kept for the cache file, and for changes of the defaults. Applications with the same settings share one:
 * look-ups of different applications then read the same memory. Do not use `entry.sdk_app_id`: it is that of the first.
 */
type KnownApplication = ApplicationSettings & { readonly entry: ApplicationEntry };

/** Different settings that are shared; beyond, new ones are not found again until this table is emptied. */
const SHARED_MAX = 10_000;

const NO_DEFAULTS: DefaultsEntry = { kind: 'defaults' };

export class RegistryCopy {
  readonly #grants = new Map<string, Grant>();
  readonly #applications = new Map<number, KnownApplication>();
  readonly #terminated = new Set<number>();
  /** By what they are made of, without the application. */
  readonly #shared = new Map<string, KnownApplication>();
  readonly #entriesMax: number;
  #defaultsEntry: DefaultsEntry | undefined;
  #defaults: ApplicationSettings = NO_APPLICATION_SETTINGS;
  /** How new the copy is; undefined: it was never complete. */
  position: EntryPosition | undefined;

  constructor(entriesMax = ENTRIES_MAX) {
    this.#entriesMax = entriesMax;
  }

  get tokens(): number {
    return this.#grants.size;
  }

  get applications(): number {
    return this.#applications.size;
  }

  /** In the order in which they were terminated, as far as this copy saw it. */
  get terminated(): ReadonlySet<number> {
    return this.#terminated;
  }

  grant(tokenHash: string): Grant | undefined {
    return this.#grants.get(tokenHash);
  }

  settings(sdkAppId: number): ApplicationSettings {
    return this.#applications.get(sdkAppId) ?? this.#defaults;
  }

  /** @returns false where the copy is full and the entry would be one more */
  apply({ key, entry }: Pick<EntryChange, 'key' | 'entry'>): boolean {
    if (entry === null) {
      this.#remove(key);
      return true;
    }
    if (this.tokens + this.applications >= this.#entriesMax && !this.#has(entry)) return false;
    if (entry.kind === 'token') this.#grants.set(entry.sha256, grantOf(entry));
    else if (entry.kind === 'application') this.#setApplication(entry);
    else this.#setDefaults(entry);
    return true;
  }

  /** Removes the keys for which `isKept` is false. */
  retain(isKept: (key: string) => boolean): void {
    for (const key of this.#keys()) if (!isKept(key)) this.#remove(key);
  }

  *entries(): Generator<RegistryEntry> {
    if (this.#defaultsEntry !== undefined) yield this.#defaultsEntry;
    for (const grant of this.#grants.values()) yield tokenEntryOf(grant);
    for (const [id, { entry }] of this.#applications) yield { ...entry, sdk_app_id: id };
  }

  *#keys(): Generator<string> {
    if (this.#defaultsEntry !== undefined) yield 'defaults';
    for (const tokenHash of this.#grants.keys()) yield `token/${tokenHash}`;
    for (const id of this.#applications.keys()) yield `application/${id}`;
  }

  #has(entry: RegistryEntry): boolean {
    if (entry.kind === 'application') return this.#applications.has(entry.sdk_app_id);
    return entry.kind === 'defaults' || this.#grants.has(entry.sha256);
  }

  #remove(key: string): void {
    const [kind = '', name = ''] = key.split('/', 2);
    if (kind === 'token') this.#grants.delete(name);
    if (kind === 'application') {
      this.#applications.delete(Number(name));
      this.#terminated.delete(Number(name));
    }
    if (kind === 'defaults') this.#setDefaults(undefined);
  }

  #setApplication(entry: ApplicationEntry): void {
    const { sdk_app_id: id, status } = entry;
    this.#applications.set(id, this.#settingsOf(entry));
    if (status !== 'terminated') this.#terminated.delete(id);
    else this.#terminated.add(id);
  }

  #setDefaults(entry: DefaultsEntry | undefined): void {
    this.#defaultsEntry = entry;
    this.#defaults = { ...NO_APPLICATION_SETTINGS, ...limitsOf({}, entry ?? NO_DEFAULTS) };
    this.#shared.clear();
    for (const [id, { entry: own }] of this.#applications) this.#applications.set(id, this.#settingsOf(own));
  }

  #settingsOf(entry: ApplicationEntry): KnownApplication {
    const defaults = this.#defaultsEntry ?? NO_DEFAULTS;
    const {
      status,
      region,
      quota_per_second,
      limit_per_second,
      logged_share,
      codes,
      slo_targets,
      interfaces,
    } = entry;
    // Codes, targets and interfaces are rarely the same.
    if (codes !== undefined || slo_targets !== undefined || interfaces !== undefined) {
      return settingsOf(entry, defaults);
    }
    const key = `${status} ${region} ${quota_per_second} ${limit_per_second} ${logged_share}`;
    const found = this.#shared.get(key);
    if (found !== undefined) return found;
    if (this.#shared.size >= SHARED_MAX) this.#shared.clear();
    const made = settingsOf(entry, defaults);
    this.#shared.set(key, made);
    return made;
  }
}

function settingsOf(entry: ApplicationEntry, defaults: DefaultsEntry): KnownApplication {
  return {
    known: true,
    status: entry.status,
    region: entry.region,
    ...limitsOf(entry, defaults),
    loggedShare: entry.logged_share ?? 1,
    codes: codesOf(entry),
    interfaces: interfacesOf(entry),
    sloTargets: entry.slo_targets ?? NO_APPLICATION_SETTINGS.sloTargets,
    entry,
  };
}

type Limits = Pick<ApplicationEntry, 'quota_per_second' | 'limit_per_second'>;

/** The default of one limit gives way to the application's own other limit: a limit is not less than its quota. */
function limitsOf(own: Limits, defaults: Limits): { quotaPerSecond: number; limitPerSecond: number } {
  const quota = own.quota_per_second ?? defaults.quota_per_second ?? Number.POSITIVE_INFINITY;
  const limit = own.limit_per_second ?? defaults.limit_per_second ?? Number.POSITIVE_INFINITY;
  if (own.limit_per_second !== undefined) {
    const ownQuota = own.quota_per_second;
    const quotaPerSecond = ownQuota ?? (quota === Number.POSITIVE_INFINITY ? quota : Math.min(quota, limit));
    return { quotaPerSecond, limitPerSecond: limit };
  }
  const limitPerSecond = quota === Number.POSITIVE_INFINITY ? limit : Math.max(quota, limit);
  return { quotaPerSecond: quota, limitPerSecond };
}

/** One empty map for all applications without codes of their own. */
function codesOf({ codes }: ApplicationEntry): ApplicationSettings['codes'] {
  const own = Object.entries(codes ?? {}).map(([code, outcome]) => [Number(code), outcome] as const);
  const readable = own.filter(
    ([code]) =>
      Number.isInteger(code) && code >= REQUEST_LOG_BOUNDS.codeMin && code <= REQUEST_LOG_BOUNDS.codeMax,
  );
  return readable.length === 0 ? NO_APPLICATION_SETTINGS.codes : new Map(readable);
}

/** One empty map for all applications without settings of single interfaces. */
function interfacesOf({ interfaces = [] }: ApplicationEntry): ApplicationSettings['interfaces'] {
  if (interfaces.length === 0) return NO_APPLICATION_SETTINGS.interfaces;
  return new Map(
    interfaces.map(({ interface: name, limit_per_second: limitPerSecond, waits }) => [
      name,
      { limitPerSecond, waits },
    ]),
  );
}

function grantOf(entry: TokenEntry): Grant {
  return {
    name: entry.name,
    scope: entry.scope,
    applications: entry.applications === 'all' ? 'all' : new Set(entry.applications),
    tokenHash: entry.sha256,
    recordsPerSecondMax: entry.records_per_second_max ?? Number.POSITIVE_INFINITY,
    expiresMs: entry.expires_ms ?? Number.POSITIVE_INFINITY,
  };
}

function tokenEntryOf(grant: Grant): TokenEntry {
  const { name, scope, applications, tokenHash, recordsPerSecondMax, expiresMs } = grant;
  return {
    kind: 'token',
    name,
    sha256: tokenHash,
    scope,
    applications: applications === 'all' ? 'all' : [...applications],
    ...(Number.isFinite(expiresMs) ? { expires_ms: expiresMs } : {}),
    ...(Number.isFinite(recordsPerSecondMax) ? { records_per_second_max: recordsPerSecondMax } : {}),
  };
}
