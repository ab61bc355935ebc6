/*
 * The operations of the registry's API, `/v1/registry/…`. All need a token of scope `admin`, or a session of the dashboard
 * that stands for one. Errors are those of every service: `{"error":{"code","message"}}`.
 */
import { CONFIGURATION_TERM_MONTHS } from '../retention.js';
import { type Static, type TObject, type TProperties, type TSchema, Type } from 'typebox';
import {
  Application,
  type ApplicationState,
  ApplicationSummary,
  ApplicationVersion,
  Difference,
  SecretSummary,
  VersionSummary,
} from './application.js';
import { APPLICATION_STATUSES } from '../application-state.js';
import { ApplicationIdentity, SdkAppId } from './identity.js';
import type { OperationContract } from './operation-contract.js';
import { plainText, WELL_FORMED_TEXT } from '../plain-text.js';
import {
  AuditEntry,
  Export,
  ExportRequest,
  ImportResult,
  Notice,
  PurgeCertificate,
  Sharing,
} from './records.js';
import { CreatedToken, Token, TokenRequest } from './tokens.js';

const strict = { additionalProperties: false };
const NONE = Type.Object({}, strict);
const Reason = plainText(1, 200);
const ReasonBody = Type.Object({ reason: Reason }, strict);
const ApplicationPath = Type.Object({ sdk_app_id: SdkAppId }, strict);
const Version = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 }));
const After = Type.Optional(Type.String({ maxLength: 200, description: 'next of the page before' }));
const Next = Type.Union([Type.String(), Type.Null()]);

/** An application's path with more parameters. */
function within<P extends TProperties>(properties: P) {
  return Type.Object({ sdk_app_id: SdkAppId, ...properties }, strict);
}

const SecretName = Type.String({
  pattern: '^(callback/signing_key|push/[a-z0-9][a-z0-9-]{0,31}/app_secret)$',
  description: 'callback/signing_key or push/<certificate id>/app_secret',
});

/** `writeOnly`: no message shows what was received. */
function SecretText(minLength: number, maxLength: number) {
  return Type.String({ minLength, maxLength, pattern: WELL_FORMED_TEXT, writeOnly: true });
}

/** Of the file of an offline push certificate; base64 makes 4 characters of 3 bytes. */
export const CERTIFICATE_BYTES_MAX = 67_500;
export const CERTIFICATE_PASSWORD_LENGTH_MAX = 256;

const Base64 = Type.String({
  minLength: 4,
  maxLength: (CERTIFICATE_BYTES_MAX / 3) * 4,
  pattern: '^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$',
  writeOnly: true,
  description: 'the file in base64 (RFC 4648, 4) with its padding, up to 90000 characters',
});

export const APPLICATIONS_PATH = '/v1/registry/applications';

/** Any part of a state, as a JSON merge patch (RFC 7396): null deletes, objects merge, lists are replaced. */
const StatePatch = Type.Object(
  {
    details: Type.Optional(Type.Unsafe<Partial<ApplicationState['details']>>(Type.Object({}))),
    settings: Type.Optional(Type.Unsafe<Partial<ApplicationState['settings']>>(Type.Object({}))),
    configuration: Type.Optional(Type.Unsafe<object>(Type.Object({}))),
    reason: Reason,
  },
  strict,
);

/** What a creation gives; all else has defaults. */
export const NewApplication = Type.Object(
  {
    ...ApplicationIdentity.properties,
    details: Type.Unsafe<
      Pick<ApplicationState['details'], 'name' | 'data_centre'> & Partial<ApplicationState['details']>
    >(Type.Object({})),
    settings: Type.Optional(Type.Unsafe<Partial<ApplicationState['settings']>>(Type.Object({}))),
    configuration: Type.Optional(Type.Unsafe<object>(Type.Object({}))),
    reason: Type.Optional(Reason),
  },
  strict,
);
export type NewApplication = Static<typeof NewApplication>;
export type StatePatch = Static<typeof StatePatch>;

type Given = Pick<OperationContract, 'method' | 'path' | 'operationId' | 'summary' | 'answer'> &
  Partial<OperationContract>;

const DEFAULTS = { params: NONE, query: NONE, body: null, ifMatch: false, status: 200 } as const;

/** Fills in what most operations have: no parameters, no body, status 200. */
function operation<const G extends Given>(given: G): Omit<typeof DEFAULTS, keyof G> & G {
  return { ...DEFAULTS, ...given };
}

export const OPERATIONS = {
  listApplications: operation({
    method: 'GET',
    path: APPLICATIONS_PATH,
    operationId: 'listApplications',
    summary: 'Applications, page by page',
    query: Type.Object(
      {
        search: Type.Optional(
          Type.String({
            maxLength: 64,
            description: 'a part of the name or owner, or the start of the SDKAppID',
          }),
        ),
        status: Type.Optional(Type.Enum([...APPLICATION_STATUSES])),
        after: After,
        limit: Limit,
      },
      strict,
    ),
    answer: Type.Object({ applications: Type.Array(ApplicationSummary), total: Type.Integer(), next: Next }),
  }),
  createApplication: operation({
    method: 'POST',
    path: APPLICATIONS_PATH,
    operationId: 'createApplication',
    summary: 'Create an application; its key is shown this once',
    body: NewApplication,
    status: 201,
    answer: Type.Object({ application: Application, key: Type.String() }),
  }),
  getApplication: operation({
    method: 'GET',
    path: '/v1/registry/applications/:sdk_app_id',
    operationId: 'getApplication',
    summary: 'One application, complete but for its secrets; its revision is the ETag',
    params: ApplicationPath,
    answer: Application,
  }),
  changeApplication: operation({
    method: 'PATCH',
    path: '/v1/registry/applications/:sdk_app_id',
    operationId: 'changeApplication',
    summary: 'Change details, settings or configuration; makes a new version',
    params: ApplicationPath,
    body: StatePatch,
    ifMatch: true,
    answer: Application,
  }),
  listVersions: operation({
    method: 'GET',
    path: '/v1/registry/applications/:sdk_app_id/versions',
    operationId: 'listVersions',
    summary: 'Versions of an application, newest first',
    params: ApplicationPath,
    query: Type.Object({ after: After, limit: Limit }, strict),
    answer: Type.Object({ versions: Type.Array(VersionSummary), next: Next }),
  }),
  getVersion: operation({
    method: 'GET',
    path: '/v1/registry/applications/:sdk_app_id/versions/:version',
    operationId: 'getVersion',
    summary: 'One version',
    params: within({ version: Version }),
    answer: ApplicationVersion,
  }),
  diffVersions: operation({
    method: 'GET',
    path: '/v1/registry/applications/:sdk_app_id/diff',
    operationId: 'diffVersions',
    summary: 'What differs between two versions',
    params: ApplicationPath,
    query: Type.Object({ from: Version, to: Version }, strict),
    answer: Type.Object({ from: Type.Integer(), to: Type.Integer(), differences: Type.Array(Difference) }),
  }),
  rollback: operation({
    method: 'POST',
    path: '/v1/registry/applications/:sdk_app_id/rollback',
    operationId: 'rollback',
    summary: 'Make the state of an earlier version the newest version',
    params: ApplicationPath,
    body: Type.Object({ version: Version, reason: Reason }, strict),
    ifMatch: true,
    answer: Application,
  }),
  suspendApplication: lifecycle('suspend', 'Refuse its records from now on'),
  resumeApplication: lifecycle('resume', 'Accept the records of a suspended application again'),
  terminateApplication: lifecycle(
    'terminate',
    `Stop sending and reading; purge after ${CONFIGURATION_TERM_MONTHS} calendar months`,
  ),
  restoreApplication: lifecycle('restore', 'Make a terminated application active again, before its purge'),
  rotateKey: operation({
    method: 'POST',
    path: '/v1/registry/applications/:sdk_app_id/rotate-key',
    operationId: 'rotateKey',
    summary: 'A new application key, shown this once; the old one ends',
    params: ApplicationPath,
    body: ReasonBody,
    ifMatch: true,
    answer: Type.Object({ application: Application, key: Type.String() }),
  }),
  putSecret: operation({
    method: 'PUT',
    path: '/v1/registry/applications/:sdk_app_id/secrets',
    operationId: 'putSecret',
    summary: 'Set a secret; it is never shown again',
    params: ApplicationPath,
    body: Type.Object({ name: SecretName, value: SecretText(1, 4_096), reason: Reason }, strict),
    answer: SecretSummary,
  }),
  putCertificate: operation({
    method: 'PUT',
    path: '/v1/registry/applications/:sdk_app_id/certificates/:certificate_id',
    operationId: 'putCertificate',
    summary: 'Store the file of an offline push certificate, encrypted',
    params: within({ certificate_id: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,31}$' }) }),
    body: Type.Object(
      {
        content_base64: Base64,
        password: Type.Optional(SecretText(0, CERTIFICATE_PASSWORD_LENGTH_MAX)),
        reason: Reason,
      },
      strict,
    ),
    answer: SecretSummary,
  }),
  testCallback: operation({
    method: 'POST',
    path: '/v1/registry/applications/:sdk_app_id/callback-test',
    operationId: 'testCallback',
    summary: 'Call the callback URL once, with the checks of every use',
    params: ApplicationPath,
    answer: Type.Object({
      address: Type.String({ description: 'the address that was called' }),
      status: Type.Integer({ description: 'the HTTP status it answered' }),
      duration_ms: Type.Number(),
    }),
  }),
  listSharings: operation({
    method: 'GET',
    path: '/v1/registry/applications/:sdk_app_id/sharings',
    operationId: 'listSharings',
    summary: 'Every sharing of the application with TRTC, newest first',
    params: ApplicationPath,
    answer: Type.Object({
      is_configured: Type.Boolean({ description: 'whether TRTC_URL is set; false: nothing is shared' }),
      sharings: Type.Array(Sharing),
    }),
  }),
  listTokens: operation({
    method: 'GET',
    path: '/v1/registry/tokens',
    operationId: 'listTokens',
    summary: 'Tokens in force',
    answer: Type.Object({ tokens: Type.Array(Token) }),
  }),
  createToken: operation({
    method: 'POST',
    path: '/v1/registry/tokens',
    operationId: 'createToken',
    summary: 'Create a token; it is shown this once',
    body: TokenRequest,
    status: 201,
    answer: CreatedToken,
  }),
  revokeToken: operation({
    method: 'DELETE',
    path: '/v1/registry/tokens/:id',
    operationId: 'revokeToken',
    summary: 'Revoke a token; it stops working within a second',
    params: Type.Object({ id: Type.Integer({ minimum: 1 }) }, strict),
    answer: Token,
  }),
  importApplications: operation({
    method: 'POST',
    path: '/v1/registry/imports',
    operationId: 'importApplications',
    summary: 'Create applications from CSV or NDJSON; a bad row is named, the others are created',
    query: Type.Object({ dry_run: Type.Optional(Type.Enum(['true', 'false'])) }, strict),
    body: 'text',
    answer: ImportResult,
  }),
  createExport: operation({
    method: 'POST',
    path: '/v1/registry/exports',
    operationId: 'createExport',
    summary: 'Export applications, or the request logs of one, as an object with a signed link',
    body: ExportRequest,
    status: 201,
    answer: Export,
  }),
  listExports: operation({
    method: 'GET',
    path: '/v1/registry/exports',
    operationId: 'listExports',
    summary: 'Exports that have not ended, newest first, with fresh links',
    answer: Type.Object({ exports: Type.Array(Export) }),
  }),
  listAudit: operation({
    method: 'GET',
    path: '/v1/registry/audit',
    operationId: 'listAudit',
    summary: 'Who changed what and why, newest first',
    query: Type.Object({ sdk_app_id: Type.Optional(SdkAppId), after: After, limit: Limit }, strict),
    answer: Type.Object({ entries: Type.Array(AuditEntry), next: Next }),
  }),
  listNotices: operation({
    method: 'GET',
    path: '/v1/registry/notices',
    operationId: 'listNotices',
    summary: 'Notices of terminations and purges, newest first',
    query: Type.Object({ sdk_app_id: Type.Optional(SdkAppId), after: After, limit: Limit }, strict),
    answer: Type.Object({ notices: Type.Array(Notice), next: Next }),
  }),
  listPurges: operation({
    method: 'GET',
    path: '/v1/registry/purges',
    operationId: 'listPurges',
    summary: 'Purges and their certificates, newest first',
    query: Type.Object({ after: After, limit: Limit }, strict),
    answer: Type.Object({ purges: Type.Array(PurgeCertificate), next: Next }),
  }),
  getPurge: operation({
    method: 'GET',
    path: '/v1/registry/purges/:sdk_app_id',
    operationId: 'getPurge',
    summary: 'The certificate of the newest purge of an application',
    params: ApplicationPath,
    answer: PurgeCertificate,
  }),
} satisfies Readonly<Record<string, OperationContract>>;

export type OperationName = keyof typeof OPERATIONS;
type Contract<O extends OperationName> = (typeof OPERATIONS)[O];
type StaticOf<S> = S extends TSchema ? Static<S> : S extends 'text' ? string : undefined;

export type OperationAnswer<O extends OperationName> = Static<Contract<O>['answer']>;
export type OperationBody<O extends OperationName> = StaticOf<Contract<O>['body']>;
export type OperationParams<O extends OperationName> = Contract<O>['params'] extends TObject
  ? Static<Contract<O>['params']>
  : never;
export type OperationQuery<O extends OperationName> = Contract<O>['query'] extends TObject
  ? Static<Contract<O>['query']>
  : never;

function lifecycle<const N extends string>(name: N, summary: string) {
  return operation({
    method: 'POST',
    path: `/v1/registry/applications/:sdk_app_id/${name}` as const,
    operationId: `${name}Application`,
    summary,
    params: ApplicationPath,
    body: ReasonBody,
    ifMatch: true,
    answer: Application,
  });
}
