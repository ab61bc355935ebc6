/*
 * Parses RFC 3339 text to epoch milliseconds. `Date.parse` accepts far more than RFC 3339 ("1", "Jan 2020", 30 February),
 * and a time that is misread is recorded in the wrong hour unnoticed.
 */
const RFC_3339 =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt ](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,18})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

const MINUTE_MS = 60_000;
/** `2024-01-02T03:04:05` is 19 characters; then the fraction or the zone begins. */
const SECONDS_END = 19;

/** Epoch milliseconds, digits beyond milliseconds truncated; undefined if the text is not RFC 3339. */
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

/** Second 60 is a leap second; it counts as the first second of the next minute, as in POSIX time. */
function utcMs(year: number, month: number, day: number, text: string): number {
  // Date.UTC reads years 0 to 99 as 1900 to 1999; all of these are too old in any case.
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
