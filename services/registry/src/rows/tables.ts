/*
 * The registry's tables, as Kysely reads them; `migrations.ts` creates them. The same columns in MySQL and SQLite: times
 * are epoch milliseconds, lists and objects are JSON text, sealed values are base64url text.
 */
import type { Outcome } from '@imscope/schemas/outcome.js';
import type { ApplicationDetails } from '@imscope/schemas/registry-api/details.js';
import type { ApplicationStatus } from '@imscope/schemas/application-state.js';
import type { NOTICE_KINDS, PurgePlace } from '@imscope/schemas/registry-api/records.js';
import type { TokenScope } from '@imscope/schemas/registry-entry.js';
import type { Generated } from 'kysely';

/** What is promised to be in MySQL: identity, details, quotas, and the version in force. */
export type ApplicationTable = {
  sdk_app_id: number;
  app_id: number;
  uin: number;
  name: string;
  introduction: string;
  description: string;
  type: ApplicationDetails['type'];
  owner: string;
  package: string;
  /** JSON: string[] */
  subscriptions: string;
  /** JSON: string[] */
  administrators: string;
  data_centre: string;
  /** null: none, as in rows of before these columns. */
  runbook_url: string | null;
  /** JSON: LinkTemplate[]; null: none. */
  links: string | null;
  quota_per_second: number | null;
  limit_per_second: number | null;
  logged_share: number;
  /** JSON: InterfaceSettings[]; null where none were ever set. */
  interfaces: string | null;
  status: ApplicationStatus;
  /** Grows with every change of any kind: optimistic locking. */
  revision: number;
  /** The version of the state in force. */
  version: number;
  created_ms: number;
  updated_ms: number;
  terminated_ms: number | null;
  purge_ms: number | null;
  /** Name and owner in lower case, with a line break between: what a search looks in. */
  search_text: string;
};

export type SloTargetTable = {
  sdk_app_id: number;
  position: number;
  interface: string | null;
  success_rate_min: number;
  latency_ms_max: number | null;
  latency_share_min: number | null;
};

export type CodeOverrideTable = { sdk_app_id: number; code: number; outcome: Outcome };

/** The versions of states where no MongoDB is configured. */
export type ApplicationVersionTable = {
  sdk_app_id: number;
  version: number;
  author: string;
  reason: string;
  created_ms: number;
  /** JSON: ApplicationState */
  state: string;
};

export type TokenTable = {
  id: Generated<number>;
  sha256: string;
  name: string;
  scope: TokenScope;
  /** JSON: "all" or number[] */
  applications: string;
  created_ms: number;
  expires_ms: number | null;
  records_per_second_max: number | null;
  /** `file`: stated in REGISTRY_FILE, and removed with its line there. */
  origin: 'api' | 'file';
};

/** One data key an application, encrypted by a master key. */
export type DataKeyTable = { sdk_app_id: number; key_id: string; wrapped_key: string };

export type SecretTable = {
  sdk_app_id: number;
  name: string;
  /** Sealed by the data key; empty where the value is the object. */
  sealed: string;
  /** Key of an encrypted object, of a certificate. */
  object_key: string | null;
  set_ms: number;
};

export type AuditTable = {
  id: Generated<number>;
  at_ms: number;
  actor: string;
  action: string;
  sdk_app_id: number | null;
  reason: string;
  /** JSON: string[], pointers of what changed */
  paths: string;
  /** The application's revision after the change; null where no application changed. */
  revision: number | null;
};

/** Messages to other systems, delivered at least once each; `idempotency_key` makes repeats harmless. */
export type OutboxTable = {
  id: Generated<number>;
  kind: 'trtc_share' | 'trtc_end' | 'notice';
  sdk_app_id: number;
  /** JSON */
  payload: string;
  idempotency_key: string;
  created_ms: number;
  due_ms: number;
  attempts: number;
  last_error: string | null;
};

/** What is distributed (schemas/src/registry-entry.ts); null: deleted. */
export type EntryTable = { entry_key: string; revision: number; entry: string | null };

/** `entry`: the newest revision. Its row is locked until commit, so revisions are in the order of commits. */
export type CounterTable = { name: string; value: number };

/** How far a sink of the distribution is. `detail` is the sink's own. */
export type DistributionPositionTable = { sink: string; revision: number; detail: string };

export type NoticeTable = {
  id: Generated<number>;
  at_ms: number;
  sdk_app_id: number;
  kind: (typeof NOTICE_KINDS)[number];
  message: string;
};

export type SharingTable = {
  id: Generated<number>;
  sdk_app_id: number;
  requested_ms: number;
  shared_ms: number | null;
  end_requested_ms: number | null;
  ended_ms: number | null;
  attempts: number;
  last_error: string | null;
};

export type ExportTable = {
  id: string;
  kind: string;
  sdk_app_id: number | null;
  author: string;
  created_ms: number;
  row_count: number;
  byte_count: number;
  object_key: string;
  /** The oldest row's time plus its term. */
  ends_ms: number;
  /** SDKAppIDs of which applications were exported, as a JSON list in order; null: of all, or of `sdk_app_id`. */
  applications: string | null;
};

export type PurgeTable = {
  sdk_app_id: number;
  terminated_ms: number;
  due_ms: number;
  latest_ms: number;
  started_ms: number;
  completed_ms: number | null;
  backups_expire_ms: number | null;
};

export type PurgePlaceTable = {
  sdk_app_id: number;
  /** Of the purge: an SDKAppID may be created again and purged again. */
  terminated_ms: number;
  place: PurgePlace;
  state: 'done' | 'open' | 'not_used';
  deleted: number;
  done_ms: number | null;
  last_error: string | null;
};

/** Purged applications: a restored backup purges them again. */
export type TombstoneTable = { sdk_app_id: number; purged_ms: number };

export type BackupTable = {
  id: string;
  created_ms: number;
  completed_ms: number | null;
  object_prefix: string;
  expires_ms: number;
};

export type RegistryTables = {
  application: ApplicationTable;
  slo_target: SloTargetTable;
  code_override: CodeOverrideTable;
  application_version: ApplicationVersionTable;
  token: TokenTable;
  data_key: DataKeyTable;
  secret: SecretTable;
  audit: AuditTable;
  outbox: OutboxTable;
  entry: EntryTable;
  counter: CounterTable;
  distribution_position: DistributionPositionTable;
  notice: NoticeTable;
  sharing: SharingTable;
  export_object: ExportTable;
  purge: PurgeTable;
  purge_place: PurgePlaceTable;
  tombstone: TombstoneTable;
  backup: BackupTable;
};
