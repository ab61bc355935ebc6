/*
 * The greatest loss where an incarnation is gone for ever with its spool. What its accounts say is missing is known
 * exactly. What it accepted after its last account is not known; there are two bounds. The first is by time: it would
 * have written another account, so it accepted at its greatest rate for two intervals of accounts at most (the next
 * account may have been on its way), or until the operator says that it stopped. The second is by space: if it was cut
 * off from Kafka it may have gone on accepting, until its spool was full. Pure.
 */
import type { IncarnationTrack } from './incarnation-track.js';

/** Of one incarnation, from its last account. 0 where the collector did not say. */
export type SpoolFacts = {
  readonly accountIntervalMs: number;
  readonly spoolBytesMax: number;
  readonly sentBytes: number;
};

export type GreatestLoss = {
  /** What no account covers was accepted in this time. Epoch milliseconds. */
  readonly acceptedFromMs: number;
  readonly acceptedToMs: number;
  /** Records a second: the greatest between two accounts of the last hour before the last one. */
  readonly rate: number;
  readonly missing: number;
  readonly acceptedMax: number;
  readonly unaccountedStored: number;
  readonly spoolRecordsMax: number;
};

/** Where the collector did not say: the default and the greatest value of its setting. */
const ACCOUNT_INTERVAL_MS = 60_000;
const RATE_WITHIN_MS = 3_600_000;
const INTERVALS = 2;

/** @param stoppedMs when the collector stopped, where the operator knows it; epoch milliseconds */
export function greatestLoss(
  track: IncarnationTrack,
  facts: SpoolFacts,
  stoppedMs: number | undefined,
): GreatestLoss {
  const acceptedFromMs = track.accountedToMs;
  const intervalMs = facts.accountIntervalMs > 0 ? facts.accountIntervalMs : ACCOUNT_INTERVAL_MS;
  const acceptedToMs = Math.max(acceptedFromMs, stoppedMs ?? acceptedFromMs + INTERVALS * intervalMs);
  const rate = track.greatestRate(acceptedFromMs - RATE_WITHIN_MS);
  const unaccountedStored = track.storedAhead;
  const byTime = Math.ceil((rate * (acceptedToMs - acceptedFromMs)) / 1_000);
  return {
    acceptedFromMs,
    acceptedToMs,
    rate,
    missing: track.missing,
    acceptedMax: Math.max(byTime, unaccountedStored),
    unaccountedStored,
    spoolRecordsMax: spoolRecordsMax(facts, track.sent),
  };
}

/** At the size that a record of this incarnation had on average. */
function spoolRecordsMax({ spoolBytesMax, sentBytes }: SpoolFacts, sent: number): number {
  return sentBytes === 0 ? 0 : Math.floor((spoolBytesMax * sent) / sentBytes);
}
