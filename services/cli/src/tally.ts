/*
 * Counts the results of one file. Every line that was read has exactly one result: accepted, rejected with a reason,
 * in doubt, or not sent. So the four counts always add up to the lines read.
 */
import { printable } from './command/http-answer.js';

/** Who refused a record: the command itself, before sending, or the collector. */
export type RejectedBy = 'imscope' | 'collector';

export type ReasonCount = {
  readonly by: RejectedBy;
  readonly reason: string;
  count: number;
  /** The first line numbers, 5 at most. */
  readonly lines: number[];
  /** Details of the first rejected line. */
  readonly detail: string;
};

export type LineRange = {
  readonly from: number;
  readonly to: number;
  readonly records: number;
  readonly why: string;
};

const LINES_NAMED_MAX = 5;
const RANGES_NAMED_MAX = 20;
/** Reasons come from closed lists of about 20 each. The bound protects against a peer that sends other reasons. */
const REASONS_MAX = 64;
const APPLICATIONS_MAX = 1_000;

/** The reason under which all reasons beyond the bound are counted. */
const OTHER = 'other_reasons';

export class Tally {
  read = 0;
  accepted = 0;
  inDoubt = 0;
  notSent = 0;
  /** Requests that were sent again. */
  retries = 0;
  readonly inDoubtRanges: LineRange[] = [];
  readonly notSentRanges: LineRange[] = [];
  readonly #reasons = new Map<string, ReasonCount>();
  readonly #applications = new Map<number, number>();

  get rejected(): number {
    return this.reasons.reduce((total, { count }) => total + count, 0);
  }

  /** Most frequent reason first. */
  get reasons(): readonly ReasonCount[] {
    return [...this.#reasons.values()].toSorted((a, b) => b.count - a.count);
  }

  /** Applications of requests with accepted records, most records first; at most 1,000. */
  get applications(): readonly { readonly sdkAppId: number; readonly sent: number }[] {
    return [...this.#applications]
      .map(([sdkAppId, sent]) => ({ sdkAppId, sent }))
      .toSorted((a, b) => b.sent - a.sent);
  }

  /** @param lines numbers of listed lines, in order */
  reject(by: RejectedBy, reason: string, detail: string, lines: readonly number[], count: number): void {
    const received = `${by} ${printable(reason, 64)}`;
    const isFull = !this.#reasons.has(received) && this.#reasons.size >= REASONS_MAX;
    const key = isFull ? `${by} ${OTHER}` : received;
    const known = this.#reasons.get(key) ?? {
      by,
      reason: isFull ? OTHER : printable(reason, 64),
      count: 0,
      lines: [],
      detail: printable(detail, 300),
    };
    known.count += count;
    known.lines.push(...lines.slice(0, LINES_NAMED_MAX - known.lines.length));
    this.#reasons.set(key, known);
  }

  countSent(sdkAppId: number): void {
    const known = this.#applications.get(sdkAppId);
    if (known === undefined && this.#applications.size >= APPLICATIONS_MAX) return;
    this.#applications.set(sdkAppId, (known ?? 0) + 1);
  }

  addInDoubt(range: LineRange): void {
    this.inDoubt += range.records;
    if (this.inDoubtRanges.length < RANGES_NAMED_MAX) this.inDoubtRanges.push(range);
  }

  addNotSent(range: LineRange): void {
    this.notSent += range.records;
    if (this.notSentRanges.length < RANGES_NAMED_MAX) this.notSentRanges.push(range);
  }
}
