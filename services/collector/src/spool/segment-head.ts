/*
 * The head of a segment: the incarnation it belongs to, and which older segments are still needed for open metric
 * windows. With the accounts that follow it, the accounting of a killed incarnation is recovered without reading
 * everything that still waits for Kafka.
 */
import type { BatchHead } from './batch-entry.js';
import { type DecodedEntry, decodeSegment } from './entry.js';

/** Kafka acknowledged all sequences of this partition up to this one. */
export type Acknowledged = {
  readonly topic: BatchHead['topic'];
  readonly partition: number;
  readonly sequence: number;
};

/** Event times that the accounts of a history collector cover, epoch milliseconds. */
export type CoveredSpan = { readonly fromMs: number; readonly toMs: number };

export type SegmentHead = {
  /** The version of the entries' format. */
  readonly format: 1;
  readonly collector: string;
  readonly boot: string;
  readonly version: string;
  readonly startedMs: number;
  readonly covers?: CoveredSpan | undefined;
  /** The first segment with requests of metric windows that were open when this one began; null for none. */
  readonly windowsFrom: number | null;
  readonly acknowledged: readonly Acknowledged[];
};

/** The head of a segment and the accounts before it; undefined where either is damaged. */
export function readSegmentHead(segment: Buffer): { head: SegmentHead; accounts: Buffer } | undefined {
  const first: DecodedEntry[] = [];
  for (const entry of decodeSegment(segment)) {
    if ('kind' in entry) first.push(entry);
    if (first.length === 2) break;
  }
  const [open, accounts] = first;
  if (open?.kind !== 'open' || accounts?.kind !== 'accounts') return undefined;
  return { head: JSON.parse(open.payload.toString('utf8')) as SegmentHead, accounts: accounts.payload };
}
