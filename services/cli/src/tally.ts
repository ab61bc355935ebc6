/*
 * The count of one sending. Every line that was read ends in exactly one place: accepted, rejected under a
 * reason, in doubt, or not sent; so the four always add up to what was read.
 */
import { printable } from './http-answer.js';

/** Who refused a record: the command itself, before sending, or the collector. */
export type RejectedBy = 'imscope' | 'collector';

export type ReasonCount = {
  readonly by: RejectedBy;
  readonly reason: string;
  count: number;
  /** The first line numbers, 5 at most. */
  readonly lines: number[];
  /** What was said of the first one. */
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
/** Reasons come out of closed lists of about 20 each; a peer that makes up words stays bounded too. */
const REASONS_MAX = 64;
const APPLICATIONS_MAX = 1_000;

/** Beyond the hundred that the collector names in one answer. */
export const UNNAMED = 'not_named';

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

  /** Most frequent first. */
  get reasons(): readonly ReasonCount[] {
    return [...this.#reasons.values()].toSorted((a, b) => b.count - a.count);
  }

  /** Applications with records sent, most of them first; 1,000 are told apart. */
  get applications(): readonly { readonly sdkAppId: number; readonly accepted: number }[] {
    return [...this.#applications]
      .map(([sdkAppId, accepted]) => ({ sdkAppId, accepted }))
      .toSorted((a, b) => b.accepted - a.accepted);
  }

  /** @param line undefined where it is not known which line it was */
  reject(by: RejectedBy, reason: string, detail: string, line: number | undefined, count = 1): void {
    const word = printable(reason, 64);
    const key = `${by} ${word}`;
    let known = this.#reasons.get(key);
    if (known === undefined) {
      if (this.#reasons.size >= REASONS_MAX) {
        if (word !== UNNAMED) this.reject(by, UNNAMED, 'more reasons than can be told apart', line, count);
        else this.#reasons.set(key, { by, reason: word, count, lines: [], detail });
        return;
      }
      known = { by, reason: word, count: 0, lines: [], detail: printable(detail, 300) };
      this.#reasons.set(key, known);
    }
    known.count += count;
    if (line !== undefined && known.lines.length < LINES_NAMED_MAX) known.lines.push(line);
  }

  acceptOf(sdkAppId: number): void {
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
