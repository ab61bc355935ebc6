/*
 * The import: rows are read as they arrive, checked, and created in batches, each in one transaction. A bad row is named
 * by its line, and the others are created. A repeat finds what is there already, so an import that was cut off is sent
 * again as it is.
 */
import type { Readable } from 'node:stream';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { ImportResult } from '@imscope/schemas/registry-api/records.js';
import { isDuplicate } from '@imscope/state/database-error.js';
import { transact } from '@imscope/state/transact.js';
import type { Handler, OperationCall, TextBody } from '../../operations/operation-call.js';
import { existingApplications } from '../../rows/application-rows.js';
import { insertNew, requireCapacity } from '../create-application.js';
import type { ApplicationDependencies } from '../dependencies.js';
import { type CheckedRow, checkRow } from './check-row.js';
import { csvRows } from './csv-rows.js';
import { type ImportRow, type RowFault, unreadableRow } from './import-row.js';
import { ndjsonRows } from './ndjson-rows.js';

export const IMPORT_BYTES_MAX = 64 << 20;
const ROWS_MAX = 100_000;
/** Rows of one transaction. */
const BATCH_ROWS = 200;
/** Failed rows that the answer lists; further ones are counted. */
const FAILED_MAX = 1_000;

type Call = OperationCall<'importApplications'>;
type GoodRow = Extract<CheckedRow, { readonly application: unknown }>;

export function importApplications(dependencies: ApplicationDependencies): Handler<'importApplications'> {
  return async (call) => {
    const room = await requireCapacity(dependencies);
    const outcome = createOutcome();
    const run = { dependencies, call, outcome, room, seen: new Set<number>() };
    let batch: GoodRow[] = [];
    for await (const row of rowsOf(call.body)) {
      const checked = checkRow(row, { caller: call.caller, region: dependencies.region });
      if ('fault' in checked) outcome.fail(checked.line, checked.fault);
      else batch.push(checked);
      if (batch.length < BATCH_ROWS) continue;
      await importBatch(run, batch);
      batch = [];
    }
    await importBatch(run, batch);
    return outcome.result();
  };
}

type Run = {
  readonly dependencies: ApplicationDependencies;
  readonly call: Call;
  readonly outcome: Outcome;
  /** How many may be created. */
  readonly room: number;
  /** SDKAppIDs of the rows before. */
  readonly seen: Set<number>;
};

async function importBatch(run: Run, batch: readonly GoodRow[]): Promise<void> {
  if (batch.length === 0) return;
  const { dependencies, call, outcome, room, seen } = run;
  const { kysely } = dependencies.database;
  const existing = await existingApplications(kysely, batch.map(idOf));
  const faults = await Promise.all(batch.map(async (row) => callbackFault(dependencies, row)));
  const good = batch.filter((row, index) => {
    const id = idOf(row);
    const fault = existing.has(id) || seen.has(id) ? existsAlready(id) : faults[index];
    seen.add(id);
    if (fault !== undefined) outcome.fail(row.line, fault);
    return fault === undefined;
  });
  const left = room - outcome.created();
  for (const { line } of good.slice(left)) outcome.fail(line, noRoom(dependencies.applicationsMax));
  const fitting = good.slice(0, left);
  if (call.query.dry_run === 'true') outcome.create(fitting.length);
  else await createRows(run, fitting);
}

/** Where another caller created one of the batch meanwhile, each row is tried by itself. */
async function createRows(run: Run, rows: readonly GoodRow[]): Promise<void> {
  if (rows.length === 0) return;
  const { dependencies, call, outcome } = run;
  const author = { author: call.caller.name, nowMs: call.nowMs };
  try {
    await transact(dependencies.database, async (transaction) =>
      insertNew(
        transaction,
        dependencies,
        rows.map(({ application }) => application),
        author,
      ),
    );
    outcome.create(rows.length);
  } catch (error) {
    if (!isDuplicate(error)) throw error;
    const [only, ...others] = rows;
    if (only !== undefined && others.length === 0) outcome.fail(only.line, existsAlready(idOf(only)));
    else for (const row of rows) await createRows(run, [row]);
  }
}

async function* rowsOf({ contentType, stream }: TextBody): AsyncGenerator<ImportRow> {
  const isCsv = /^text\/csv\b/i.test(contentType);
  let rows = 0;
  for await (const row of (isCsv ? csvRows : ndjsonRows)(withinBytes(stream))) {
    if (++rows > ROWS_MAX) {
      yield unreadableRow(row.line, `there are more than ${ROWS_MAX} rows: send the rest by another import`);
      return;
    }
    yield row;
  }
}

/** @throws HttpError body_too_large; what was created until then stays */
async function* withinBytes(stream: Readable): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  // What is not read is left to the HTTP side, which answers first.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > IMPORT_BYTES_MAX) {
      throw new HttpError(
        'body_too_large',
        `the body has more than ${IMPORT_BYTES_MAX} bytes: split the file; rows before the bound are created`,
      );
    }
    yield chunk;
  }
}

async function callbackFault(
  { checkCallbackUrl }: ApplicationDependencies,
  { application }: GoodRow,
): Promise<RowFault | undefined> {
  const { url } = application.state.configuration.callback;
  if (url === null) return undefined;
  try {
    await checkCallbackUrl(url);
    return undefined;
  } catch (error) {
    if (error instanceof HttpError) return { code: error.code, message: error.message };
    throw error;
  }
}

function idOf({ application }: GoodRow): number {
  return application.identity.sdk_app_id;
}

function existsAlready(sdkAppId: number): RowFault {
  return {
    code: 'already_exists',
    message: `application ${sdkAppId} exists, or is in the file twice: it was left as it is`,
  };
}

function noRoom(applicationsMax: number): RowFault {
  const message = `there are as many applications as APPLICATIONS_MAX allows, ${applicationsMax}: raise it, then send the row again`;
  return { code: 'wrong_state', message };
}

type Outcome = ReturnType<typeof createOutcome>;

function createOutcome() {
  let created = 0;
  let leftOut = 0;
  const failed: ImportResult['failed'] = [];
  return {
    created: (): number => created,
    create(count: number): void {
      created += count;
    },
    fail(line: number, { code, message }: RowFault): void {
      if (failed.length < FAILED_MAX) failed.push({ line, code, message });
      else leftOut++;
    },
    result(): ImportResult {
      return { created, failed: failed.toSorted((a, b) => a.line - b.line), failed_left_out: leftOut };
    },
  };
}
