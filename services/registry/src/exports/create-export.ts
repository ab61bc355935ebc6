/*
 * Makes an export: lines, compressed, into an object; then the row that names it, with its end. Cut off between them, the
 * object has no row, and the sweeper deletes it.
 */
import { randomUUID } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Export } from '@imscope/schemas/registry-api/records.js';
import type { Database } from '@imscope/state/database.js';
import { CommitOutcomeUnknown } from '@imscope/state/database-error.js';
import { transact } from '@imscope/state/transact.js';
import type { Transaction } from 'kysely';
import type { DocumentStore } from '../documents/document-store.js';
import { type ObjectStore, ObjectTooLarge } from '../objects/object-store.js';
import type { Handler, OperationCall } from '../operations/operation-call.js';
import { writeAudit } from '../rows/audit.js';
import type { ExportTable, RegistryTables } from '../rows/tables.js';
import { readApplicationLines } from './application-lines.js';
import { exportAnswer } from './export-answer.js';
import { exportKey } from '../objects/export-key.js';
import { contentOf, type ExportFigures, type ExportLine } from './export-lines.js';
import { type ExportPlan, planExport } from './export-request.js';
import type { ReadRequestLogs } from './request-log-lines.js';

export type ExportDependencies = {
  readonly database: Database<RegistryTables>;
  readonly documents: Pick<DocumentStore, 'read'>;
  readonly objects: Pick<ObjectStore, 'putStream' | 'delete' | 'signedUrl'>;
  /** Undefined without a telemetry store: only applications are exported. */
  readonly readRequestLogs: ReadRequestLogs | undefined;
  /** How long an export of applications exists at most. */
  readonly applicationsKeptMs: number;
  /** Of one object, compressed. */
  readonly byteCountMax: number;
};

/** Each takes a share of the processor and of the store. */
export const EXPORTS_AT_ONCE_MAX = 2;
/** Of all that have not ended: they are listed without pages. */
export const EXPORTS_KEPT_MAX = 500;
/** Of one export: the caller waits. */
export const EXPORT_TIME_MAX_MS = 300_000;

type CreateCall = Pick<OperationCall<'createExport'>, 'body' | 'caller' | 'nowMs' | 'signal'>;

export function createExport(dependencies: ExportDependencies): Handler<'createExport'> {
  let running = 0;
  return async (call) => {
    const plan = planExport(call.body, call.caller, call.nowMs);
    if (running >= EXPORTS_AT_ONCE_MAX) {
      throw new HttpError(
        'too_many_requests',
        `${running} exports are being made, ${EXPORTS_AT_ONCE_MAX} are allowed at once: try again when one is done`,
        { retryAfterS: 10 },
      );
    }
    running += 1;
    try {
      return await makeExport(dependencies, plan, call);
    } finally {
      running -= 1;
    }
  };
}

async function makeExport(
  dependencies: ExportDependencies,
  plan: ExportPlan,
  call: CreateCall,
): Promise<Export> {
  const { database, objects } = dependencies;
  await requireExportable(database.kysely, plan, call.nowMs);
  const id = randomUUID();
  const key = exportKey(id, plan.sdkAppId);
  const lines = linesOf(dependencies, plan, call);
  const figures: ExportFigures = { rowCount: 0, endsMs: Number.POSITIVE_INFINITY };
  try {
    const byteCount = await putLines(dependencies, key, await notEmpty(lines), figures);
    const row: ExportTable = {
      id,
      kind: plan.kind,
      sdk_app_id: plan.sdkAppId,
      author: call.caller.name,
      created_ms: call.nowMs,
      row_count: figures.rowCount,
      byte_count: byteCount,
      object_key: key,
      ends_ms: figures.endsMs,
      applications: applicationsOf(plan),
    };
    await transact(database, (transaction) => writeRow(transaction, plan, row, call.body.reason));
    return await exportAnswer(objects, row, call.nowMs);
  } catch (error) {
    // The row may be in force. If it is not, the sweeper deletes the object.
    if (error instanceof CommitOutcomeUnknown) throw error;
    // Where this fails, too, the sweeper deletes it.
    await objects.delete(key).catch(() => undefined);
    if (error instanceof ObjectTooLarge) throw tooLarge(plan, dependencies.byteCountMax);
    throw error;
  }
}

/** Of whom it may hold something, where that is neither one application nor all. */
function applicationsOf(plan: ExportPlan): string | null {
  if (plan.kind !== 'applications' || plan.sdkAppId !== null || plan.among === 'all') return null;
  return JSON.stringify([...plan.among].toSorted((a, b) => a - b));
}

function linesOf(
  { database, documents, readRequestLogs, applicationsKeptMs }: ExportDependencies,
  plan: ExportPlan,
  { nowMs, signal }: CreateCall,
): AsyncIterable<ExportLine> {
  const ending = AbortSignal.any([signal, AbortSignal.timeout(EXPORT_TIME_MAX_MS)]);
  if (plan.kind === 'applications') {
    const selection = { among: plan.among, nowMs, keptMs: applicationsKeptMs };
    return untilAborted(readApplicationLines(database.kysely, documents, selection), ending);
  }
  if (readRequestLogs === undefined) {
    throw new HttpError(
      'unavailable',
      'this registry has no telemetry store: set STORE_URL and its user, or export from another registry',
    );
  }
  return untilAborted(readRequestLogs(plan, ending), ending);
}

async function* untilAborted(
  lines: AsyncIterable<ExportLine>,
  signal: AbortSignal,
): AsyncGenerator<ExportLine> {
  for await (const line of lines) {
    if (signal.aborted)
      throw new HttpError(
        'timeout',
        'the export took too long: give a shorter window, or fewer applications',
      );
    yield line;
  }
}

/** Throws before anything is written where there is nothing to export. */
async function notEmpty(lines: AsyncIterable<ExportLine>): Promise<AsyncIterable<ExportLine>> {
  const iterator = lines[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) {
    throw new HttpError(
      'not_found',
      'there is nothing to export: no row is in the window, or no application that you administer exists',
    );
  }
  return (async function* withFirst() {
    try {
      yield first.value;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
        yield next.value;
    } finally {
      await iterator.return?.();
    }
  })();
}

async function putLines(
  { objects, byteCountMax }: ExportDependencies,
  key: string,
  lines: AsyncIterable<ExportLine>,
  figures: ExportFigures,
): Promise<number> {
  const gzip = createGzip();
  // A failure of the source destroys the compression, whose reader then throws it; and the other way round.
  pipeline(Readable.from(contentOf(lines, figures)), gzip, () => undefined);
  return objects.putStream(key, gzip, byteCountMax);
}

/** In the transaction of the row again: an application may have been terminated or purged meanwhile. */
async function writeRow(
  transaction: Transaction<RegistryTables>,
  plan: ExportPlan,
  row: ExportTable,
  reason: string,
): Promise<void> {
  await requireExportable(transaction, plan, row.created_ms);
  await transaction.insertInto('export_object').values(row).execute();
  await writeAudit(transaction, {
    atMs: row.created_ms,
    actor: row.author,
    action: `export.create_${row.kind}`,
    sdkAppId: row.sdk_app_id,
    reason,
    paths: [],
    revision: null,
  });
}

/** Throws HttpError not_found, wrong_state, too_many_requests. */
async function requireExportable(
  db: Database<RegistryTables>['kysely'],
  { kind, sdkAppId }: ExportPlan,
  startedMs: number,
): Promise<void> {
  const { count } = await db
    .selectFrom('export_object')
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  if (count >= EXPORTS_KEPT_MAX) {
    throw new HttpError(
      'too_many_requests',
      `${count} exports exist, ${EXPORTS_KEPT_MAX} are allowed: wait until one has ended`,
    );
  }
  const purged = await db
    .selectFrom('purge')
    .select('sdk_app_id')
    .where('started_ms', '>=', startedMs)
    .execute();
  if (purged.some((purge) => sdkAppId === null || purge.sdk_app_id === sdkAppId))
    throw new HttpError('wrong_state', 'an application was purged while it was exported: export again');
  if (sdkAppId === null) return;
  const application = await db
    .selectFrom('application')
    .select('status')
    .where('sdk_app_id', '=', sdkAppId)
    .executeTakeFirst();
  if (application === undefined)
    throw new HttpError('not_found', `there is no application ${sdkAppId}: give the id of one`);
  if (kind === 'request_logs' && application.status === 'terminated') {
    throw new HttpError(
      'wrong_state',
      `application ${sdkAppId} is terminated, so its request logs cannot be read: restore it first`,
    );
  }
}

function tooLarge({ kind }: ExportPlan, byteCountMax: number): HttpError {
  const advice = kind === 'request_logs' ? 'give a shorter window' : 'export applications singly';
  return new HttpError(
    'query_too_large',
    `the export is larger than ${byteCountMax} bytes compressed (EXPORT_BYTES_MAX): ${advice}`,
  );
}
