/* Answers about notices and purges. An administrator of some applications sees those of these alone. */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Notice } from '@imscope/schemas/registry-api/records.js';
import type { Database } from '@imscope/state/database.js';
import { type Handler, PAGE_LIMIT } from '../operations/operation-call.js';
import type { RegistryTables } from '../rows/tables.js';
import { readCertificates, readNewestCertificate } from './purge-certificate.js';

export function listNotices(database: Database<RegistryTables>): Handler<'listNotices'> {
  return async ({ query: { sdk_app_id: sdkAppId, after, limit = PAGE_LIMIT }, caller }) => {
    let rows = database.kysely
      .selectFrom('notice')
      .selectAll()
      .orderBy('id', 'desc')
      .limit(limit + 1);
    if (after !== undefined) rows = rows.where('id', '<', numberOf(after));
    if (sdkAppId !== undefined) rows = rows.where('sdk_app_id', '=', sdkAppId);
    if (caller.applications !== 'all') rows = rows.where('sdk_app_id', 'in', [...caller.applications]);
    const found = await rows.execute();
    const page = found.slice(0, limit);
    const notices = page.map(({ id, at_ms, sdk_app_id, kind, message }): Notice => {
      return { id, at: new Date(at_ms).toISOString(), sdk_app_id, kind, message };
    });
    return { notices, next: found.length > limit ? String(page.at(-1)?.id) : null };
  };
}

export function listPurges(database: Database<RegistryTables>): Handler<'listPurges'> {
  return async ({ query: { after, limit = PAGE_LIMIT }, caller }) => {
    const before = after === undefined ? undefined : purgeCursor(after);
    const found = await readCertificates(database.kysely, {
      among: caller.applications,
      before,
      limit: limit + 1,
    });
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const next = last === undefined || found.length <= limit ? null : cursorText(last);
    return { purges: page, next };
  };
}

export function getPurge(database: Database<RegistryTables>): Handler<'getPurge'> {
  return async ({ params: { sdk_app_id: sdkAppId } }) => {
    const certificate = await readNewestCertificate(database.kysely, sdkAppId);
    if (certificate !== undefined) return certificate;
    throw new HttpError(
      'not_found',
      `application ${sdkAppId} has not been purged: purge_at of a terminated application says when it will be`,
    );
  };
}

function cursorText({
  started_at: startedAt,
  sdk_app_id: sdkAppId,
}: {
  started_at: string;
  sdk_app_id: number;
}) {
  return `${Date.parse(startedAt)}-${sdkAppId}`;
}

function purgeCursor(after: string): { startedMs: number; sdkAppId: number } {
  const [, startedMs, sdkAppId] = /^(\d{1,16})-(\d{1,16})$/.exec(after) ?? [];
  if (startedMs === undefined || sdkAppId === undefined) throw wrongCursor();
  return { startedMs: Number(startedMs), sdkAppId: Number(sdkAppId) };
}

function numberOf(after: string): number {
  if (!/^\d{1,16}$/.test(after)) throw wrongCursor();
  return Number(after);
}

function wrongCursor(): HttpError {
  return new HttpError(
    'invalid_parameter',
    'after is no next of a page: give next of the page before, or leave it out for the first page',
  );
}
