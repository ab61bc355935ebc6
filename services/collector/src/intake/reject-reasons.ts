/* A refused record and its reason. The closed list of reasons, with their meanings, is in `schemas`. */
import type { RejectReason as LineRejectReason } from '@imscope/access-log/reject-reasons.js';
import { RECORD_REJECT_REASONS } from '@imscope/schemas/reject-reasons.js';

export const REJECT_REASONS = RECORD_REJECT_REASONS;

/** Includes the reasons for which lines of access logs are refused before they become records. */
export type RejectReason = keyof typeof REJECT_REASONS | LineRejectReason;

/** One refused record: the reason for machines, the detail (field, received, allowed) for people. */
export class Rejection {
  readonly reason: RejectReason;
  readonly detail: string;
  /** The field that caused the refusal, if one did; an unknown field as it was sent. */
  readonly field: string | undefined;

  constructor(reason: RejectReason, detail: string, field?: string) {
    this.reason = reason;
    this.detail = detail;
    this.field = field;
  }
}

/** Checks the type before `instanceof`: five times cheaper for the numbers and strings of a valid record. */
export function isRejection(value: unknown): value is Rejection {
  return typeof value === 'object' && value instanceof Rejection;
}

const SHOWN_LENGTH_MAX = 64;

/** A received value for a detail: JSON, truncated at 64 characters. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') {
    return value.length > SHOWN_LENGTH_MAX
      ? `${JSON.stringify(value.slice(0, SHOWN_LENGTH_MAX))}… (${value.length} characters)`
      : JSON.stringify(value);
  }
  if (typeof value !== 'object' || value === null) return String(value);
  return Array.isArray(value) ? 'an array' : 'an object';
}
