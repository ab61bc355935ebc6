/*
 * The verdict on a message's records, by bytes alone: whether they decode to the last, and whether their times can be
 * those of a message that came when it did. Asked of copies, where the store refused a block, and before a redrive.
 */
import { type ContainerFault, decodeLong } from '@imscope/schemas/container.js';
import { verifyContainer } from '@imscope/schemas/container-decoder.js';

/** `bad_time`: a record is older than its term when its message comes, or from the future. */
export type RecordFault = ContainerFault | 'bad_time';

export type JudgedRecords =
  | {
      readonly ok: true;
      /** Inflated. */
      readonly plainBytes: number;
      /** Of the records, epoch milliseconds; undefined where there are none. */
      readonly eventTimes: { readonly least: number; readonly greatest: number } | undefined;
    }
  | { readonly ok: false; readonly reason: RecordFault };

const HOUR_MS = 3_600_000;
/**
 * Beyond the term, for a message redriven late holds records that are just over it. Together with an hour ahead a
 * block touches fewer table partitions than the store takes at once: metrics 48 + 24 + 1 by the hour, and 24 more
 * where it spans all of its topic's retention, of 100.
 */
const OVER_TERM_HOURS = 24;

/** @param termHours of the message's topic */
export function judgeRecords(
  { value, appendedMs }: { readonly value: Buffer; readonly appendedMs: number },
  termHours: number,
): JudgedRecords {
  let [least, greatest] = [Infinity, -Infinity];
  const verified = verifyContainer(value, (plain, start) => {
    // In every schema of ours the event time comes first.
    const time = decodeLong(plain, start)?.value;
    if (time === undefined) return false;
    least = Math.min(least, time);
    greatest = Math.max(greatest, time);
    return true;
  });
  if (!verified.ok) return { ok: false, reason: verified.fault };
  const { plainBytes } = verified;
  if (greatest === -Infinity) return { ok: true, plainBytes, eventTimes: undefined };
  const holds =
    least >= appendedMs - (termHours + OVER_TERM_HOURS) * HOUR_MS && greatest <= appendedMs + HOUR_MS;
  return holds
    ? { ok: true, plainBytes, eventTimes: { least, greatest } }
    : { ok: false, reason: 'bad_time' };
}
