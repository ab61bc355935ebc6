/*
 * One refused record. The reasons are a closed list, which is in the schemas with what each means.
 */
import type { RejectReason as LineRejectReason } from '@imscope/access-log/reject-reasons.js';
import { RECORD_REJECT_REASONS } from '@imscope/schemas/reject-reasons.js';

export const REJECT_REASONS = RECORD_REJECT_REASONS;

/** Lines of tailed files add those they are refused for before they are records. */
export type RejectReason = keyof typeof REJECT_REASONS | LineRejectReason;

/** One refused record: the reason for machines, the detail (field, received, allowed) for people. */
export class Rejection {
  readonly reason: RejectReason;
  readonly detail: string;
  /** The name of the field, where it is one field's fault; as sent where it is unknown. */
  readonly field: string | undefined;

  constructor(reason: RejectReason, detail: string, field?: string) {
    this.reason = reason;
    this.detail = detail;
    this.field = field;
  }
}

/** `instanceof` that asks for the type first: five times cheaper on the numbers and strings of a good record. */
export function isRejection(value: unknown): value is Rejection {
  return typeof value === 'object' && value instanceof Rejection;
}

const SHOWN_LENGTH_MAX = 64;

/** A received value as it stands in a detail: JSON, cut at 64 characters. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') {
    return value.length > SHOWN_LENGTH_MAX
      ? `${JSON.stringify(value.slice(0, SHOWN_LENGTH_MAX))}… (${value.length} characters)`
      : JSON.stringify(value);
  }
  if (typeof value !== 'object' || value === null) return String(value);
  return Array.isArray(value) ? 'an array' : 'an object';
}
