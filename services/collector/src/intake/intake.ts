/*
 * Accepts the records of one request or one batch of lines: validates each value, applies the limits of its application,
 * appends it to a batch or only counts it, and lists what was refused.
 */
import { type Grant, mayUse } from '@imscope/access/grant.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import type { NewRequestLog } from '@imscope/schemas/request-log-encoder.js';
import type { Batch } from '../batches/batch.js';
import { incrementCount } from '../metrics/increment-count.js';
import type { RequestLimits } from '../limits/application-limits.js';
import type { IntakeWatch } from './intake-watch.js';
import { isRejection, Rejection, type RejectReason } from './reject-reasons.js';
import { numberOrText, validateRecord } from './validate-record.js';

/** Further refused records are counted but not listed: the first ones show what is wrong. */
export const REJECTED_NAMED_MAX = 100;

export type NamedRejection = {
  readonly index: number;
  readonly reason: RejectReason;
  readonly detail: string;
};

/** The record's position in the body, and the field that caused the refusal, if one did. */
export type RefusedExample = { readonly index: number; readonly field: string | undefined };

export type Intake = {
  /** Logged one by one, or only counted. */
  readonly accepted: number;
  readonly rejected: readonly NamedRejection[];
  readonly rejectedByReason: ReadonlyMap<RejectReason, number>;
  /** The same by application, see `applicationOf`. */
  readonly rejectedByApplication: ReadonlyMap<number, ReadonlyMap<RejectReason, number>>;
  /** The first record refused for each reason. */
  readonly refusedExamples: ReadonlyMap<RejectReason, RefusedExample>;
  readonly fieldsDropped: number;
  /** OTLP attributes that are neither a field of a record nor about a person. */
  readonly attributesIgnored: number;
  /** Pieces about a person, and credentials, that scrubbing replaced in texts. */
  readonly piecesScrubbed: number;
  /** Records whose path contained ids. */
  readonly idsReplaced: number;
  /** The batches that contain the accepted records. */
  readonly batches: ReadonlySet<Batch>;
};

/** The number of refused records, listed or not. */
export function rejectedCount({ rejectedByReason }: Pick<Intake, 'rejectedByReason'>): number {
  let total = 0;
  for (const records of rejectedByReason.values()) total += records;
  return total;
}

/** The number of records read, accepted and refused. */
export function received(intake: Intake): number {
  return intake.accepted + rejectedCount(intake);
}

export type IntakeOptions = {
  readonly grant: Grant;
  readonly limits: RequestLimits;
  readonly nowMs: number;
  readonly lateMsMax: number;
  /**
   * Accept all valid records or none. For a request with an `Idempotency-Key`: it must hold the same records if it is sent
   * again.
   */
  readonly allOrNothing: boolean;
  readonly append: (record: NewRequestLog) => Batch;
  readonly countOnly: (record: NewRequestLog) => Batch;
  /** Undefined while no live tail is open. */
  readonly watch: IntakeWatch | undefined;
};

/** Numbers of OTLP attributes that have no field; 0 for other formats. */
export type UnmappedAttributes = { readonly ignored: number; readonly personal: number };

export const NO_UNMAPPED_ATTRIBUTES: UnmappedAttributes = { ignored: 0, personal: 0 };

/** Validates records one by one and appends them, whatever source they were read from. */
export class RecordIntake {
  readonly #options: IntakeOptions;
  readonly #context: Parameters<typeof validateRecord>[1];
  readonly #refusals: Refusals;
  readonly #batches = new Set<Batch>();
  readonly #kept: { readonly index: number; readonly record: NewRequestLog }[] = [];
  #lastBatch: Batch | undefined;
  #accepted = 0;
  #fieldsDropped = 0;
  #piecesScrubbed = 0;
  #idsReplaced = 0;

  constructor(options: IntakeOptions) {
    const { grant, limits, nowMs, lateMsMax, watch } = options;
    this.#options = options;
    this.#refusals = new Refusals(grant, watch);
    this.#context = {
      nowMs,
      lateMsMax,
      codesOf: (sdkAppId) => limits.settingsOf(sdkAppId).codes,
      onDropped: () => void (this.#fieldsDropped += 1),
      onScrubbed: (pieces) => void (this.#piecesScrubbed += pieces),
      onIdTaken: () => void (this.#idsReplaced += 1),
    };
  }

  /** @param value a record that is not validated yet, or the reason why it could not be read */
  accept(index: number, value: unknown): void {
    const { limits, allOrNothing } = this.#options;
    const checked = isRejection(value) ? value : this.#check(value);
    if (isRejection(checked)) this.#refusals.add(index, checked, value);
    else if (allOrNothing) this.#kept.push({ index, record: checked });
    else if (limits.admit(checked.sdk_app_id)) this.#append(checked);
    else this.#refusals.add(index, overLimit(checked, limits), value);
  }

  /** The result. Call it once, after the last record. */
  finish(unmapped: UnmappedAttributes = NO_UNMAPPED_ATTRIBUTES): Intake {
    const { limits } = this.#options;
    const kept = this.#kept;
    if (limits.admitAll(countByApplication(kept))) for (const { record } of kept) this.#append(record);
    else for (const { index, record } of kept) this.#refusals.add(index, overLimit(record, limits), record);
    const { named, byReason, byApplication, examples } = this.#refusals;
    return {
      accepted: this.#accepted,
      rejected: named,
      rejectedByReason: byReason,
      rejectedByApplication: byApplication,
      refusedExamples: examples,
      fieldsDropped: this.#fieldsDropped + unmapped.personal,
      attributesIgnored: unmapped.ignored,
      piecesScrubbed: this.#piecesScrubbed,
      idsReplaced: this.#idsReplaced,
      batches: this.#batches,
    };
  }

  /** The state of an application is only for those who may send for it. */
  #check(value: unknown): NewRequestLog | Rejection {
    const { grant, limits } = this.#options;
    const checked = validateRecord(value, this.#context);
    if (isRejection(checked)) return checked;
    const { sdk_app_id: id } = checked;
    if (!mayUse(grant, id)) {
      return new Rejection('application_not_allowed', `token "${grant.name}" is not for application ${id}`);
    }
    const refusal = limits.refusalOf(id);
    return refusal === undefined ? checked : new Rejection(refusal.reason, refusal.detail);
  }

  #append(record: NewRequestLog): void {
    const { limits, append, countOnly, watch } = this.#options;
    this.#accepted += 1;
    const weight = limits.weigh(record.sdk_app_id, record.outcome);
    watch?.accepted(record, weight);
    const batch = weight === 0 ? countOnly(record) : append(weight === 1 ? record : { ...record, weight });
    if (batch !== this.#lastBatch) this.#batches.add(batch);
    this.#lastBatch = batch;
  }
}

class Refusals {
  readonly named: NamedRejection[] = [];
  readonly byReason = new Map<RejectReason, number>();
  readonly byApplication = new Map<number, Map<RejectReason, number>>();
  readonly examples = new Map<RejectReason, RefusedExample>();
  readonly #grant: Grant;
  readonly #watch: IntakeWatch | undefined;

  constructor(grant: Grant, watch: IntakeWatch | undefined) {
    this.#grant = grant;
    this.#watch = watch;
  }

  add(index: number, rejection: Rejection, value: unknown): void {
    const { reason, detail } = rejection;
    if (!this.examples.has(reason)) this.examples.set(reason, { index, field: rejection.field });
    incrementCount(this.byReason, reason);
    const application = applicationOf(value, this.#grant);
    this.#watch?.refused(rejection, application);
    const reasons = this.byApplication.get(application) ?? new Map<RejectReason, number>();
    incrementCount(reasons, reason);
    this.byApplication.set(application, reasons);
    if (this.named.length < REJECTED_NAMED_MAX) this.named.push({ index, reason, detail });
  }
}

function countByApplication(kept: readonly { readonly record: NewRequestLog }[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { record } of kept) incrementCount(counts, record.sdk_app_id);
  return counts;
}

function overLimit({ sdk_app_id: id }: NewRequestLog, limits: RequestLimits): Rejection {
  return new Rejection(
    'rate_limited',
    `application ${id} is over its ${limits.settingsOf(id).limitPerSecond} records a second: send fewer, or this one again later`,
  );
}

/**
 * The application that a refused record counts for: the one it names if the token is for it, so that no sender can add
 * refusals to another one's account; else the only application of the token; else 0.
 */
function applicationOf(value: unknown, grant: Grant): number {
  const named = namedApplication(value, grant);
  if (named !== 0 || grant.applications === 'all') return named;
  const [only = 0, another] = grant.applications;
  return another === undefined ? only : 0;
}

function namedApplication(value: unknown, grant: Grant): number {
  if (typeof value !== 'object' || value === null || !('sdk_app_id' in value)) return 0;
  const id = numberOrText(value.sdk_app_id);
  const readable = typeof id === 'number' && Number.isInteger(id) && id >= 1;
  return readable && id <= REQUEST_LOG_BOUNDS.sdkAppIdMax && mayUse(grant, id) ? id : 0;
}
