/*
 * Reads a log record's severity in every form that senders write: a number, protobuf's name for it, or, without a number,
 * the logger's own text.
 */

/** OpenTelemetry's severity numbers: 13 to 16 are WARN, 17 to 20 ERROR, 21 to 24 FATAL. */
export const SEVERITY_WARN = 13;
const INFO = 9;
const SEVERITY_MAX = 24;

const PREFIX = 'SEVERITY_NUMBER_';
/** The lowest number of each range, by the names of OpenTelemetry, syslog and common loggers. */
const WORDS: ReadonlyMap<string, number> = new Map([
  ['UNSPECIFIED', 0],
  ...words(1, 'TRACE FINEST FINER VERBOSE'),
  ...words(5, 'DEBUG FINE CONFIG D'),
  ...words(INFO, 'INFO INFORMATION INFORMATIONAL NOTICE LOG I N'),
  ...words(SEVERITY_WARN, 'WARN WARNING W'),
  ...words(17, 'ERROR ERR SEVERE FAILURE E'),
  ...words(21, 'FATAL CRITICAL CRIT ALERT EMERG EMERGENCY PANIC DPANIC F C'),
]);

function words(number: number, list: string): [word: string, number: number][] {
  return list.split(' ').map((word) => [word, number]);
}

/**
 * The number of a severity; 0 if none is given. An unreadable severity counts as WARN, because the body may be the only text
 * that says why a request failed.
 * @param number as sent: a number, digits as text, or a name such as `SEVERITY_NUMBER_ERROR`
 * @param text the logger's name for it; used if there is no number
 */
export function severityOf(number: unknown, text: unknown): number {
  const fromNumber = typeof number === 'number' ? number : parseText(number);
  if (fromNumber !== undefined && fromNumber !== 0) return fromNumber;
  const named = parseText(text);
  if (named !== undefined && named !== 0) return named;
  const isUnreadable = fromNumber === undefined && isGiven(number);
  return isUnreadable ? SEVERITY_WARN : 0;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

/** Undefined if it is not a severity. */
function parseText(text: unknown): number | undefined {
  if (typeof text !== 'string' || text.length > 32) return undefined;
  if (/^\d{1,2}$/.test(text)) return Number(text) <= SEVERITY_MAX ? Number(text) : undefined;
  const name = text.trim().toUpperCase();
  // `WARN2` is a severity within the range WARN.
  const word = (name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name).replace(/[1-4]$/, '');
  return WORDS.get(word);
}
