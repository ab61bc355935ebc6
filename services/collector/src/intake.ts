/*
 * A body → records appended to batches, and the list of the refused. Runs in one go, without waiting: either
 * nothing of a body was taken or all of its good records are in batches.
 */
import { type Grant, mayUse } from '@imscope/runtime/tokens.js';
import { REQUEST_LOG_BOUNDS, type RequestLog } from '@imscope/schemas/request-log.js';
import type { Batch } from './batch.js';
import { parseBody } from './parse-body.js';
import type { BodyFormat } from './read-body.js';
import { isRejection, Rejection, type RejectReason } from './reject-reasons.js';
import { validateRecord } from './validate-record.js';

/** Beyond this many, refused records are counted but not named: the first ones tell what is wrong. */
export const REJECTED_NAMED_MAX = 100;

export type NamedRejection = {
  readonly index: number;
  readonly reason: RejectReason;
  readonly detail: string;
};

export type Intake = {
  readonly accepted: number;
  readonly rejected: readonly NamedRejection[];
  readonly rejectedByReason: ReadonlyMap<RejectReason, number>;
  /** The same by application, as far as the sender speaks for it; 0 for all others. */
  readonly rejectedByApplication: ReadonlyMap<number, ReadonlyMap<RejectReason, number>>;
  readonly fieldsDropped: number;
  /** Pieces about a person, or credentials, taken out of texts. */
  readonly piecesScrubbed: number;
  /** Records whose path ids were taken out of. */
  readonly idsTaken: number;
  /** The batches that hold the accepted records. */
  readonly batches: ReadonlySet<Batch>;
};

/** @throws HttpError empty_body or unreadable_body, with nothing appended */
export function takeIn(
  body: { readonly text: string; readonly format: BodyFormat },
  grant: Grant,
  bounds: { readonly nowMs: number; readonly lateMsMax: number },
  append: (record: RequestLog) => Batch,
): Intake {
  const rejected: NamedRejection[] = [];
  const rejectedByReason = new Map<RejectReason, number>();
  const rejectedByApplication = new Map<number, Map<RejectReason, number>>();
  const batches = new Set<Batch>();
  let accepted = 0;
  let fieldsDropped = 0;
  let piecesScrubbed = 0;
  let idsTaken = 0;
  let lastBatch: Batch | undefined;
  const context = {
    ...bounds,
    onDropped: () => void (fieldsDropped += 1),
    onScrubbed: (pieces: number) => void (piecesScrubbed += pieces),
    onIdTaken: () => void (idsTaken += 1),
  };
  parseBody(body.text, body.format, (index, value) => {
    const checked = isRejection(value) ? value : checkRecord(value, grant, context);
    if (isRejection(checked)) {
      const { reason, detail } = checked;
      addOne(rejectedByReason, reason);
      const application = applicationOf(value, grant);
      const reasons = rejectedByApplication.get(application) ?? new Map<RejectReason, number>();
      rejectedByApplication.set(application, addOne(reasons, reason));
      if (rejected.length < REJECTED_NAMED_MAX) rejected.push({ index, reason, detail });
      return;
    }
    accepted += 1;
    const batch = append(checked);
    if (batch !== lastBatch) batches.add(batch);
    lastBatch = batch;
  });
  return {
    accepted,
    rejected,
    rejectedByReason,
    rejectedByApplication,
    fieldsDropped,
    piecesScrubbed,
    idsTaken,
    batches,
  };
}

function addOne<K>(counts: Map<K, number>, key: K): Map<K, number> {
  return counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** The application of a refused record: nobody can book refusals on another's account. */
function applicationOf(value: unknown, grant: Grant): number {
  if (typeof value !== 'object' || value === null || !('sdk_app_id' in value)) return 0;
  const { sdk_app_id: id } = value;
  const readable = typeof id === 'number' && Number.isInteger(id) && id >= 1;
  return readable && id <= REQUEST_LOG_BOUNDS.sdkAppIdMax && mayUse(grant, id) ? id : 0;
}

function checkRecord(
  value: unknown,
  grant: Grant,
  context: Parameters<typeof validateRecord>[1],
): RequestLog | Rejection {
  const checked = validateRecord(value, context);
  if (isRejection(checked) || mayUse(grant, checked.sdk_app_id)) return checked;
  return new Rejection(
    'application_not_allowed',
    `token "${grant.name}" does not speak for application ${checked.sdk_app_id}`,
  );
}
