/*
 * One value of an answer as short text. The name of its field says its unit: `_ms`, `_us`, `_s`, `_bytes`, `_per_s`;
 * `rate`, `share` and `ratio` are parts of 1. Foreign text is made safe for a terminal.
 */
import { count } from '../command/count.js';
import { printable } from '../command/http-answer.js';

export type CellKind = 'time' | 'number' | 'text';

export type CellContext = {
  /** The path of the field, such as `latency_ms.p95`. */
  readonly path: string;
  readonly kind: CellKind;
  /** Times have no date: all of them are of one day. */
  readonly isOneDay: boolean;
};

const TEXT_LENGTH_MAX = 400;
const LIST_ITEMS_MAX = 5;
/** Numbers that name something; the others count or measure. */
const NAMING = /(?:^|[._])(?:id|code|asn|status|port|version|revision|boot)$/;

export function cellText(value: unknown, context: CellContext): string {
  if (value === null || value === undefined) return '-';
  if (Array.isArray(value)) return listText(value, context);
  if (typeof value === 'object') return recordText(value, context);
  if (typeof value === 'number') return numberText(value, context.path);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'string') return '';
  if (context.kind === 'time') {
    // The place of a row in time is exact; first and last seen are to the second.
    return timeText(context.path === 'time' ? value : `${value.slice(0, 19)}.000`, context.isOneDay);
  }
  return value === '' ? '""' : printable(value, TEXT_LENGTH_MAX);
}

/** `10:00:00`, or `11-29 10:00:00`; milliseconds where there are any. */
export function timeText(time: string, isOneDay: boolean): string {
  const clock = time.slice(11, 23).replace(/\.000$/, '');
  return printable(isOneDay ? clock : `${time.slice(5, 10)} ${clock}`, 30);
}

function numberText(value: number, path: string): string {
  const name = path.slice(path.lastIndexOf('.') + 1);
  if (NAMING.test(name)) return String(value);
  if (/(?:^|_)(?:rate|share|ratio)(?:$|_of_)/.test(name)) return percentText(value);
  if (name.endsWith('_per_s')) return rateText(value);
  if (name.endsWith('_us')) return millisecondsText(value / 1_000);
  if (/(?:^|[._])(?:\w+_)?ms(?:$|[._])/.test(path)) return millisecondsText(value);
  if (/(?:^|_)bytes$/.test(name)) return bytesText(value);
  if (name.endsWith('_s')) return `${compact(value)}s`;
  return Number.isInteger(value) ? count(value) : compact(value);
}

/** Rounded down: 99.999 % is not shown as 100 %. A part that is not 0 is not shown as 0. */
export function percentText(part: number): string {
  if (part === 1) return '100%';
  if (part > 0 && part < 0.0001) return '<0.01%';
  return `${(Math.floor(part * 10_000 + 1e-7) / 100).toFixed(2)}%`;
}

/** Rounded, a small rate would be shown as none. */
function rateText(perSecond: number): string {
  if (perSecond > 0 && perSecond < 0.01) return '<0.01/s';
  return `${compact(perSecond)}/s`;
}

export function millisecondsText(ms: number): string {
  if (Math.abs(ms) >= 9_995) return `${compact(ms / 1_000)}s`;
  return `${compact(ms)}ms`;
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export function bytesText(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), BYTE_UNITS.length - 1);
  return `${compact(bytes / 1024 ** power)} ${BYTE_UNITS[power] ?? ''}`;
}

/** Three digits, and thousands separated. */
function compact(value: number): string {
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 99.95) return count(Math.round(value));
  return value.toFixed(size >= 9.995 ? 1 : 2);
}

/** Rows with a time are drawn by their first count; of others, the first is shown and the rest is counted. */
function listText(list: readonly unknown[], context: CellContext): string {
  if (list.length === 0) return '-';
  const rows = list.flatMap((item) => (isRecord(item) ? [item] : []));
  if (rows.length === list.length) {
    return rows.every((row) => 'time' in row) ? sparkline(rows) : firstText(rows, context);
  }
  const numbers = list.flatMap((item) => (typeof item === 'number' ? [item] : []));
  if (numbers.length === list.length && list.length > LIST_ITEMS_MAX) return bars(numbers);
  const shown = list.slice(0, LIST_ITEMS_MAX).map((item) => cellText(item, context));
  const more = list.length - shown.length;
  return more === 0 ? shown.join(', ') : `${shown.join(', ')} +${more}`;
}

const BARS = '▁▂▃▄▅▆▇█';

function sparkline(rows: readonly Readonly<Record<string, unknown>>[]): string {
  const heights = rows.map((row) => Object.values(row).find((value) => typeof value === 'number') ?? 0);
  return bars(heights);
}

function bars(heights: readonly number[]): string {
  const highest = Math.max(...heights, 1);
  return heights
    .map((height) => BARS[Math.ceil((Math.max(height, 0) / highest) * (BARS.length - 1))] ?? '')
    .join('');
}

function firstText(rows: readonly Readonly<Record<string, unknown>>[], context: CellContext): string {
  const [first = {}] = rows;
  const text = Object.values(first).find((value) => typeof value === 'string' && value !== '');
  const shown = text === undefined ? recordText(first, context) : cellText(text, context);
  return rows.length === 1 ? shown : `${shown} +${rows.length - 1}`;
}

function recordText(record: object, context: CellContext): string {
  const entries: [string, unknown][] = Object.entries(record);
  const shown = entries
    .slice(0, LIST_ITEMS_MAX)
    .map(([name, value]) => `${printable(name, 40)}=${cellText(value, { ...context, path: name })}`);
  const more = entries.length - shown.length;
  return shown.length === 0 ? '-' : `${shown.join(' ')}${more === 0 ? '' : ` +${more}`}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
