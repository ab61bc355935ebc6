/*
 * RFC 3339 text to epoch milliseconds. `Date.parse` alone takes far more than RFC 3339 ("1", "Jan 2020",
 * 30 February), and what is misread here lands in the wrong hour without a trace.
 */
const RFC_3339 =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt ](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,18})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

const MINUTE_MS = 60_000;
/** Where the zone begins when there is no fraction: `2024-01-02T03:04:05` is 19 characters. */
const SECONDS_END = 19;

/** Epoch milliseconds, digits beyond milliseconds cut off; undefined where the text is not RFC 3339. */
export function parseRfc3339(text: string): number | undefined {
  if (!RFC_3339.test(text)) return undefined;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  if (day > 28 && day > daysInMonth(year, month)) return undefined;
  const wholeMs = utcMs(year, month, day, text);
  const zone = text.charCodeAt(text.length - 1) > 57 ? text.length - 1 : text.length - 6;
  return wholeMs + fractionMs(text, zone) - offsetMs(text, zone);
}

function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** A second of 60 is the leap second; it counts as the first of the next minute, as POSIX time has it. */
function utcMs(year: number, month: number, day: number, text: string): number {
  // Date.UTC takes years 0 to 99 for 1900 to 1999; all of them are too old in any case.
  return Date.UTC(year, month - 1, day, twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17));
}

function fractionMs(text: string, zone: number): number {
  let ms = 0;
  let scale = 100;
  for (let at = SECONDS_END + 1; at < zone && scale >= 1; at++) {
    ms += (text.charCodeAt(at) - 48) * scale;
    scale /= 10;
  }
  return ms;
}

function offsetMs(text: string, zone: number): number {
  if (zone === text.length - 1) return 0;
  const minutes = twoDigits(text, zone + 1) * 60 + twoDigits(text, zone + 4);
  return (text.charCodeAt(zone) === 45 ? -minutes : minutes) * MINUTE_MS;
}
