/*
 * Classifies a message's records by its bytes alone: whether all of them decode, and whether their times are possible for
 * a message of that time of append. Used for duplicates, where the store refused a block, and before a redrive.
 */
import { decodeLong } from '@imscope/schemas/container.js';
import { verifyContainer } from '@imscope/schemas/container-decoder.js';
import type { ContainerFault } from '@imscope/schemas/container-fault.js';

/** `bad_time`: a record is from weeks before its message was appended, or from days after it. */
export type RecordFault = ContainerFault | 'bad_time';

export type ClassifiedRecords =
  | {
      readonly ok: true;
      /** Inflated. */
      readonly plainBytes: number;
      /** Of the records, epoch milliseconds; undefined where there are none. */
      readonly eventTimes: { readonly least: number; readonly greatest: number } | undefined;
    }
  | { readonly ok: false; readonly reason: RecordFault };

const DAY_MS = 86_400_000;
/**
 * Far beyond every term, so that neither a late redrive nor a clock that is off by days makes a copy of an honest
 * batch something else than a duplicate. Between them lie 960 hours: a block of metrics that spans a day of its topic
 * touches 984 table partitions at most, and an insert may touch 1,000.
 */
const OLDER_MS_MAX = 30 * DAY_MS;
const AHEAD_MS_MAX = 10 * DAY_MS;
/** What an insert requests of the store. */
export const INSERT_PARTITIONS_MAX = 1_000;

export function classifyRecords({
  value,
  appendedMs,
}: {
  readonly value: Buffer;
  readonly appendedMs: number;
}): ClassifiedRecords {
  let [least, greatest] = [Infinity, -Infinity];
  const verified = verifyContainer(value, (plain, start) => {
    // The event time is the first field of every schema. A long that cannot be read exceeds 52 bits: not a time.
    const time = decodeLong(plain, start)?.value ?? Number.POSITIVE_INFINITY;
    least = Math.min(least, time);
    greatest = Math.max(greatest, time);
    return true;
  });
  if (!verified.ok) return { ok: false, reason: verified.fault };
  const { plainBytes } = verified;
  if (greatest === -Infinity) return { ok: true, plainBytes, eventTimes: undefined };
  const holds = least >= appendedMs - OLDER_MS_MAX && greatest <= appendedMs + AHEAD_MS_MAX;
  return holds
    ? { ok: true, plainBytes, eventTimes: { least, greatest } }
    : { ok: false, reason: 'bad_time' };
}
