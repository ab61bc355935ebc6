/*
 * A body → records appended to batches, and the list of the refused. Runs in one go, without waiting: either
 * nothing of a body was taken or all of its good records are in batches.
 */
import { type Grant, mayUse } from '@imscope/runtime/tokens.js';
import type { RequestLog } from '@imscope/schemas/request-log.js';
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
      rejectedByReason.set(reason, (rejectedByReason.get(reason) ?? 0) + 1);
      if (rejected.length < REJECTED_NAMED_MAX) rejected.push({ index, reason, detail });
      return;
    }
    accepted += 1;
    const batch = append(checked);
    if (batch !== lastBatch) batches.add(batch);
    lastBatch = batch;
  });
  return { accepted, rejected, rejectedByReason, fieldsDropped, piecesScrubbed, idsTaken, batches };
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
