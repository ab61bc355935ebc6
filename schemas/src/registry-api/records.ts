/* What the registry keeps beside applications: audit, notices, sharings, exports, purges. */
import { type Static, Type } from 'typebox';
import { SdkAppId } from './identity.js';
import { plainText } from '../plain-text.js';

const Time = Type.String({ description: 'RFC 3339, UTC' });
const TimeOrNull = Type.Union([Time, Type.Null()]);

export const AuditEntry = Type.Object({
  id: Type.Integer(),
  at: Time,
  actor: Type.String({ description: 'the name of the token that made the change' }),
  action: Type.String({ description: 'such as application.change' }),
  sdk_app_id: Type.Union([SdkAppId, Type.Null()]),
  reason: Type.String(),
  /** JSON pointers of what changed; never values of secrets. */
  paths: Type.Array(Type.String()),
});
export type AuditEntry = Static<typeof AuditEntry>;

export const NOTICE_KINDS = [
  'terminated',
  'purge_in_30_days',
  'purge_in_7_days',
  'purge_in_1_day',
  'restored',
  'purged',
] as const;
export const Notice = Type.Object({
  id: Type.Integer(),
  at: Time,
  sdk_app_id: SdkAppId,
  kind: Type.Enum([...NOTICE_KINDS]),
  message: Type.String(),
});
export type Notice = Static<typeof Notice>;

/** Details of an application shared with TRTC, from `shared_at` until `ended_at`. */
export const Sharing = Type.Object({
  id: Type.Integer(),
  requested_at: Time,
  shared_at: TimeOrNull,
  end_requested_at: TimeOrNull,
  ended_at: TimeOrNull,
  attempts: Type.Integer(),
  last_error: Type.Union([Type.String(), Type.Null()]),
});
export type Sharing = Static<typeof Sharing>;

/** `request_logs` needs sdk_app_id, from and to. */
export const ExportRequest = Type.Object(
  {
    kind: Type.Enum(['applications', 'request_logs']),
    sdk_app_id: Type.Optional(SdkAppId),
    from: Type.Optional(Type.String({ description: 'RFC 3339' })),
    to: Type.Optional(Type.String({ description: 'RFC 3339' })),
    reason: plainText(1, 200),
  },
  { additionalProperties: false },
);
export type ExportRequest = Static<typeof ExportRequest>;

export const Export = Type.Object({
  id: Type.String(),
  kind: Type.String(),
  sdk_app_id: Type.Union([SdkAppId, Type.Null()]),
  created_at: Time,
  author: Type.String(),
  rows: Type.Integer(),
  bytes: Type.Integer(),
  ends_at: Type.String({ description: 'when the object is deleted: its oldest row’s time plus its term' }),
  url: Type.Union([Type.String(), Type.Null()], {
    description: 'signed, valid for minutes; null once the export has ended',
  }),
});
export type Export = Static<typeof Export>;

export const ImportResult = Type.Object({
  created: Type.Integer(),
  failed: Type.Array(
    Type.Object({
      line: Type.Integer({ description: 'of the file, from 1' }),
      code: Type.String(),
      message: Type.String(),
    }),
  ),
  failed_left_out: Type.Integer({ description: 'failed rows beyond those listed' }),
});
export type ImportResult = Static<typeof ImportResult>;

export const PURGE_PLACES = ['distribution', 'trtc', 'documents', 'objects', 'telemetry', 'rows'] as const;
export type PurgePlace = (typeof PURGE_PLACES)[number];
export const PurgeCertificate = Type.Object({
  sdk_app_id: SdkAppId,
  terminated_at: Time,
  due_at: Time,
  latest_at: Type.String({ description: 'the latest date by which the live purge is promised' }),
  started_at: Time,
  completed_at: TimeOrNull,
  places: Type.Array(
    Type.Object({
      place: Type.Enum([...PURGE_PLACES]),
      state: Type.Enum(['done', 'open', 'not_used']),
      deleted: Type.Integer({ description: 'rows, documents, objects or entries' }),
      done_at: TimeOrNull,
      last_error: Type.Union([Type.String(), Type.Null()]),
    }),
  ),
  backups_expire_at: Type.Union([Time, Type.Null()], {
    description: 'when the last backup that may hold the application is deleted',
  }),
});
export type PurgeCertificate = Static<typeof PurgeCertificate>;
