/* Answers about applications and their versions. */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { plainInteger, shortened } from '@imscope/runtime/query-parameters.js';
import type { ApplicationState } from '@imscope/schemas/registry-api/application.js';
import { type Handler, PAGE_LIMIT } from '../operations/operation-call.js';
import {
  type ApplicationQuery,
  countApplications,
  findApplicationIds,
  listApplications as listRows,
} from '../rows/application-list.js';
import { type Reader, readApplication } from '../rows/application-rows.js';
import type { ApplicationDependencies } from './dependencies.js';
import { differencesOf } from '@imscope/schemas/registry-api/differences.js';
import { applicationAnswer, notFound, readComplete, timeOrNull, timeText } from './read-complete.js';

type Reading = Pick<ApplicationDependencies, 'database' | 'documents' | 'secrets'>;

export function getApplication(reading: Reading): Handler<'getApplication'> {
  return async ({ params }) =>
    applicationAnswer(
      reading,
      await readComplete(reading.database.kysely, reading.documents, params.sdk_app_id),
    );
}

export function listApplications({ database }: Reading): Handler<'listApplications'> {
  return async ({ query: { search, status, after, limit = PAGE_LIMIT }, caller }) => {
    const query = { search, status, among: caller.applications };
    const page = { afterSdkAppId: cursorOf(after) ?? 0, limit: limit + 1 };
    const { rows, total } = await (search === undefined || search === ''
      ? listAll(database.kysely, query, page)
      : listFound(database.kysely, query, page));
    const shown = rows.slice(0, limit);
    return {
      applications: shown.map(({ updated_ms, purge_ms, ...row }) => {
        return { ...row, updated_at: timeText(updated_ms), purge_at: timeOrNull(purge_ms) };
      }),
      total,
      next: rows.length > limit ? String(shown.at(-1)?.sdk_app_id) : null,
    };
  };
}

type Page = Parameters<typeof listRows>[2];

async function listAll(db: Reader, query: ApplicationQuery, page: Page) {
  const [rows, total] = await Promise.all([listRows(db, query, page), countApplications(db, query)]);
  return { rows, total };
}

/** One read of the index for the page and the total. */
async function listFound(db: Reader, query: ApplicationQuery, { afterSdkAppId, limit }: Page) {
  const found = await findApplicationIds(db, query);
  const ids = found.filter((id) => id > afterSdkAppId).slice(0, limit);
  const among = new Set(ids);
  const rows = ids.length === 0 ? [] : await listRows(db, { among }, { afterSdkAppId, limit });
  return { rows, total: found.length };
}

export function listVersions(reading: Reading): Handler<'listVersions'> {
  return async ({ params: { sdk_app_id: sdkAppId }, query: { after, limit = PAGE_LIMIT } }) => {
    const inForce = await versionInForce(reading, sdkAppId);
    const versionMax = Math.min(inForce, (cursorOf(after) ?? inForce + 1) - 1);
    const versions = await reading.documents.list(sdkAppId, { versionMax, limit: limit + 1 });
    const page = versions.slice(0, limit);
    return { versions: [...page], next: versions.length > limit ? String(page.at(-1)?.version) : null };
  };
}

export function getVersion(reading: Reading): Handler<'getVersion'> {
  return async ({ params: { sdk_app_id: sdkAppId, version } }) => {
    const inForce = await versionInForce(reading, sdkAppId);
    const document = await readVersion(reading, sdkAppId, version, inForce);
    const { author, reason, createdMs, state } = document;
    return { sdk_app_id: sdkAppId, version, author, reason, created_at: timeText(createdMs), state };
  };
}

export function diffVersions(reading: Reading): Handler<'diffVersions'> {
  return async ({ params: { sdk_app_id: sdkAppId }, query: { from, to } }) => {
    const inForce = await versionInForce(reading, sdkAppId);
    const state = async (version: number): Promise<ApplicationState> =>
      (await readVersion(reading, sdkAppId, version, inForce)).state;
    const [before, after] = [await state(from), await state(to)];
    return { from, to, differences: differencesOf(before, after) };
  };
}

/** `next` of the page before. @throws HttpError invalid_parameter where it is none */
export function cursorOf(after: string | undefined): number | undefined {
  if (after === undefined) return undefined;
  const value = plainInteger(after);
  if (value !== undefined && value >= 0) return value;
  throw new HttpError(
    'invalid_parameter',
    `after is "${shortened(after)}": give next of the page before, or leave it out for the first page`,
  );
}

async function versionInForce({ database }: Reading, sdkAppId: number): Promise<number> {
  const stored = await readApplication(database.kysely, sdkAppId);
  if (stored === undefined) throw notFound(sdkAppId);
  return stored.version;
}

/** A document above the version in force is an orphan. */
async function readVersion({ documents }: Reading, sdkAppId: number, version: number, inForce: number) {
  const document = version > inForce ? undefined : await documents.read({ sdkAppId, version });
  if (document !== undefined) return document;
  throw new HttpError(
    'not_found',
    `application ${sdkAppId} has no version ${version}, or no longer: give one that its versions list`,
  );
}
