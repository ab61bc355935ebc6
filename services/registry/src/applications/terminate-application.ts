/*
 * Terminates an application, and restores it before its purge. With the status of its entry, collectors refuse its records
 * and query services its questions.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Handler } from '../operations/operation-call.js';
import type { Reader } from '../rows/application-rows.js';
import { addNotice, type NoticeKind } from '../rows/notices.js';
import { purgeDateMs } from '../rows/purge-date.js';
import { readChangeable } from './change-state.js';
import type { ApplicationDependencies, CompleteApplication } from './dependencies.js';
import { applicationAnswer, readComplete } from './read-complete.js';
import { requireRevision, writeChange } from './write-change.js';

export type LifecycleDependencies = ApplicationDependencies & {
  /** Whether notices also go to NOTICE_URL. */
  readonly areNoticesDelivered: boolean;
};

export function terminateApplication(dependencies: LifecycleDependencies): Handler<'terminateApplication'> {
  return async (call) => {
    const before = await readChangeable(dependencies, call);
    const { nowMs } = call;
    return change(dependencies, call, {
      before,
      rows: { status: 'terminated', terminatedMs: nowMs, purgeMs: purgeDateMs(nowMs) },
      action: 'application.terminate',
      notice: 'terminated',
    });
  };
}

/** Also one that was suspended before its termination becomes active. */
export function restoreApplication(dependencies: LifecycleDependencies): Handler<'restoreApplication'> {
  return async (call) => {
    const { database, documents } = dependencies;
    const { sdk_app_id: sdkAppId } = call.params;
    const before = await readComplete(database.kysely, documents, sdkAppId);
    await requireRevision(database.kysely, before.stored, call.ifMatch);
    if (before.stored.status !== 'terminated') {
      throw new HttpError(
        'wrong_state',
        `application ${sdkAppId} is ${before.stored.status}: only one that is terminated can be restored`,
      );
    }
    // A purge that begins between this look and the change makes the change fail: it raises the revision.
    await requireNoPurge(database.kysely, sdkAppId);
    return change(dependencies, call, {
      before,
      rows: { status: 'active', terminatedMs: null, purgeMs: null },
      action: 'application.restore',
      notice: 'restored',
    });
  };
}

type StatusChange = {
  readonly before: CompleteApplication;
  readonly rows: Parameters<typeof writeChange>[1]['rows'] & { readonly purgeMs: number | null };
  readonly action: string;
  readonly notice: NoticeKind;
};

async function change(
  dependencies: LifecycleDependencies,
  { params, body, caller, nowMs }: Parameters<Handler<'terminateApplication'>>[0],
  { before, rows, action, notice }: StatusChange,
) {
  const { sdk_app_id: sdkAppId } = params;
  const purgeMs = rows.purgeMs ?? before.stored.purgeMs ?? nowMs;
  const after = await writeChange(dependencies, {
    before,
    rows,
    action,
    author: caller.name,
    reason: body.reason,
    paths: ['/status'],
    nowMs,
    more: async (transaction) =>
      addNotice(transaction, { sdkAppId, kind: notice, purgeMs }, nowMs, dependencies.areNoticesDelivered),
  });
  return applicationAnswer(dependencies, after);
}

async function requireNoPurge(db: Reader, sdkAppId: number): Promise<void> {
  const purge = await db
    .selectFrom('purge')
    .select('started_ms')
    .where('sdk_app_id', '=', sdkAppId)
    .where('completed_ms', 'is', null)
    .executeTakeFirst();
  if (purge === undefined) return;
  throw new HttpError(
    'wrong_state',
    `the purge of application ${sdkAppId} began at ${new Date(purge.started_ms).toISOString()}: it cannot be ` +
      'restored; create it again once the purge is complete',
  );
}
