/*
 * Parses the times of logs into epoch milliseconds. nginx writes them when a request ends; only $msec has milliseconds.
 */
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const TIME_LOCAL = /^(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/;
const MSEC = /^(\d{1,12})(?:\.(\d{1,9}))?$/;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,18})?(?:Z|[+-]\d\d:\d\d)$/;

/** `01/Jul/2019:11:11:00 +0800`; undefined where the text is no such time. */
export function parseTimeLocal(text: string): number | undefined {
  const match = TIME_LOCAL.exec(text);
  if (match === null) return undefined;
  const [, day, month, year, hour, minute, second, sign, zoneHours, zoneMinutes] = match;
  const monthIndex = MONTHS.indexOf(month ?? '');
  if (monthIndex === -1) return undefined;
  const local = Date.UTC(Number(year), monthIndex, Number(day), Number(hour), Number(minute), Number(second));
  const offsetMs = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000;
  const isReal = new Date(local).getUTCDate() === Number(day) && Number(hour) < 24 && Number(minute) < 60;
  return isReal ? local - (sign === '-' ? -offsetMs : offsetMs) : undefined;
}

/** Seconds with milliseconds, `1561950660.123`; undefined where the text is no such time. */
export function parseMsec(text: string): number | undefined {
  return threeDecimals(text) ?? parseSeconds(text);
}

/**
 * Seconds with exactly three decimals → milliseconds, as nginx writes $msec and durations; undefined where the text
 * is not 1 to 12 digits, a point and three digits.
 */
export function threeDecimals(text: string): number | undefined {
  const point = text.length - 4;
  if (point < 1 || point > 12 || text.charCodeAt(point) !== 46) return undefined;
  let value = 0;
  for (let at = 0; at < text.length; at++) {
    if (at === point) continue;
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

function parseSeconds(text: string): number | undefined {
  const match = MSEC.exec(text);
  if (match === null) return undefined;
  // By digits: 1561950660.123 * 1000 is not a whole number.
  return Number(match[1]) * 1000 + Number((match[2] ?? '').padEnd(3, '0').slice(0, 3));
}

/** RFC 3339, which $time_iso8601 is too; undefined where the text is no such time. */
export function parseRfc3339(text: string): number | undefined {
  if (!RFC_3339.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : Math.floor(ms);
}
