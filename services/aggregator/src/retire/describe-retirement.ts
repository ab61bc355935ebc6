/* The greatest loss of a retirement as text for a terminal, and how it is bounded. Pure. */
import type { FoundIncarnations, SilentIncarnation } from './find-incarnations.js';

const number = (value: number): string => value.toLocaleString('en-US');
const time = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}Z`;

export function describeLoss({ silent, live }: FoundIncarnations, nowMs: number): string {
  const total = silent.reduce((sum, one) => sum + greatest(one), 0);
  const lines = [
    ...silent.flatMap((one) => describeOne(one, nowMs)),
    ...live.map(
      (boot) => `boot ${boot} is heard and stays: with the same spool it ends the others by itself`,
    ),
    `Greatest loss: ${number(total)} records.`,
  ];
  return `${lines.join('\n')}\n`;
}

function describeOne(one: SilentIncarnation, nowMs: number): string[] {
  const { boot, collector, heardMs, lastAccount, loss } = one;
  const minutes = Math.floor((nowMs - heardMs) / 60_000);
  const heard =
    lastAccount < 0 ? 'no account, batches since' : `account ${lastAccount}, the last one, heard at`;
  return [
    `boot ${boot} of ${collector}: ${heard} ${time(heardMs)}, ${number(minutes)} minutes ago`,
    `  lost              ${number(knownLoss(one))} records that its accounts say were sent, and that are not stored`,
    `  lost at most      ${number(unaccountedLoss(one))} more, accepted from ${time(loss.acceptedFromMs)} to ${time(loss.acceptedToMs)}: ${rateText(one)}`,
    `  beyond that       ${spoolText(one)}`,
  ];
}

/** Records that accounts say were sent and that are not stored, keyed ones too. */
export function knownLoss({ loss, keyedMissing }: SilentIncarnation): number {
  return [...keyedMissing.values()].reduce((sum, records) => sum + records, loss.missing);
}

export function unaccountedLoss({ loss }: SilentIncarnation): number {
  return Math.max(0, loss.acceptedMax - loss.unaccountedStored);
}

function greatest(one: SilentIncarnation): number {
  return knownLoss(one) + unaccountedLoss(one);
}

function rateText({ loss }: SilentIncarnation): string {
  const seconds = Math.round((loss.acceptedToMs - loss.acceptedFromMs) / 1_000);
  const rate = loss.rate >= 100 ? Math.round(loss.rate) : Math.round(loss.rate * 100) / 100;
  return `its greatest rate of an hour, ${number(rate)} a second, for ${number(seconds)} s, less ${number(loss.unaccountedStored)} that are stored`;
}

function spoolText({ loss, spoolBytesMax, recordBytes }: SilentIncarnation): string {
  if (loss.spoolRecordsMax === 0) {
    return 'not known: if it was cut off from Kafka, it may have gone on accepting until its spool was full';
  }
  const records = number(loss.spoolRecordsMax);
  return `if it was cut off from Kafka and went on accepting: ${records} records at most, the capacity of its spool (${number(spoolBytesMax)} bytes, ${Math.round(recordBytes)} a record)`;
}
