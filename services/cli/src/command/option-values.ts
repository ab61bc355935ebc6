/* Parsers of option values. Each throws commander's error, which names the option and ends with code 2. */
import { InvalidArgumentError } from 'commander';

/** A whole number within bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,16}$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** An HTTP base URL; its path, if any, is the prefix of every path. */
export function baseUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new InvalidArgumentError('Give a URL such as http://127.0.0.1:8088.');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new InvalidArgumentError('Give a URL that begins with http:// or https://.');
  }
  if (url.username !== '' || url.password !== '') {
    throw new InvalidArgumentError('Leave user and password out: others can read a command line.');
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/** The length of a window that ends now: `15m`, `24h`, `7d`. */
export function windowLength(text: string): string {
  if (!/^[1-9]\d{0,5}[smhd]$/.test(text))
    throw new InvalidArgumentError('Give a length such as 15m, 24h or 7d.');
  return text;
}

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a length that `windowLength` accepts. */
export function windowLengthMs(text: string): number {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  return Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS];
}

/** `7d`: a length in the largest unit that gives a whole number. */
export function lengthText(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
  ] as const;
  const [unit, size] = units.find(([, unitSeconds]) => seconds > 0 && seconds % unitSeconds === 0) ?? [
    's',
    1,
  ];
  return `${seconds / size}${unit}`;
}

/** `500ms`, `10s`, `5m` → milliseconds, an hour at most. */
export function shortLength(text: string): number {
  const [, amount, unit] = /^([1-9]\d{0,5})(ms|s|m)$/.exec(text) ?? [];
  const ms = Number(amount) * (unit === 'm' ? 60_000 : unit === 's' ? 1_000 : 1);
  if (!(ms <= 3_600_000)) throw new InvalidArgumentError('Give a length up to an hour, such as 10s or 5m.');
  return ms;
}

/** The name of an nginx variable, with or without its dollar sign. */
export function variableName(text: string): string {
  const name = /^\$?\{?([A-Za-z0-9_]{1,128})\}?$/.exec(text)?.[1];
  if (name === undefined) {
    throw new InvalidArgumentError('Give the name of an nginx variable such as upstream_http_x_im_code.');
  }
  return name;
}

/** The name of a node or a region. */
export function label(text: string): string {
  if (text === '' || text.length > 128) throw new InvalidArgumentError('Give 1 to 128 characters.');
  return text;
}
