/* A line of a tap as text for people: aligned, coloured, and at most as wide as the terminal. Pure. */
import colors from 'picocolors';
import { printable } from './command/http-answer.js';
import type { TapLine, TapRecord, TapRejected } from './tap-client.js';

/** The longest interface name has 50 characters. The column gets the width that the other columns leave. */
const INTERFACE_WIDTHS = { min: 28, max: 50 };
const OTHER_COLUMNS_WIDTH = 112;
const OUTCOME_WIDTH = 13;
const OUTCOME_COLOURS: Readonly<Record<string, (text: string) => string>> = {
  success: colors.green,
  caller_error: colors.yellow,
  service_error: colors.red,
  unknown: colors.dim,
};
const ENDS: Readonly<Record<string, string>> = {
  stopping: 'the collector is stopping',
  token: 'the token is no longer valid',
  time: 'a tap lasts an hour at most: open it again',
};

/** @param columns width of the terminal; infinite without one */
export function tapText(line: TapLine, columns: number): string {
  if (line.type === 'record') return recordText(line, columns);
  if (line.type === 'rejected') return rejectedText(line, columns);
  return colors.dim(
    line.type === 'dropped'
      ? `… ${droppedText(line.rate, line.reader)}`
      : `ended: ${ENDS[line.reason] ?? printable(line.reason, 100)}`,
  );
}

/** The titles of the columns. */
export function tapHeader(columns: number): string {
  const titles = [
    'TIME (UTC)'.padEnd(12),
    'APPLICATION'.padStart(11),
    'INTERFACE'.padEnd(interfaceWidth(columns)),
  ];
  const rest = ['OUTCOME'.padEnd(OUTCOME_WIDTH), 'CODE'.padStart(6), 'HTTP', 'LATENCY'.padStart(10)];
  return colors.bold([...titles, ...rest, 'EXIT'.padEnd(18), 'WHY'].join(' '));
}

function interfaceWidth(columns: number): number {
  const { min, max } = INTERFACE_WIDTHS;
  return Math.min(max, Math.max(min, columns - OTHER_COLUMNS_WIDTH));
}

function recordText(record: TapRecord, columns: number): string {
  const { code, http_status: status, weight } = record;
  const before = `${place(record)} ${field(record.interface, interfaceWidth(columns))} `;
  const figures = [
    String(code ?? '-').padStart(6),
    (status === 0 ? '-' : String(status)).padStart(4),
    `${record.latency_ms.toFixed(1)} ms`.padStart(10),
    field(record.exit_ip, 18),
  ].join(' ');
  const paint = OUTCOME_COLOURS[record.outcome] ?? colors.dim;
  const counted = weight === 0 ? 'counted, not logged' : weight === 1 ? '' : `stands for ${weight}`;
  const why = [counted, record.exception, record.cause].filter((text) => text !== '').join(': ');
  const used = before.length + OUTCOME_WIDTH + 1 + figures.length + 1;
  return `${before}${paint(field(record.outcome, OUTCOME_WIDTH))} ${figures} ${rest(why, columns - used)}`.trimEnd();
}

function rejectedText(rejected: TapRejected, columns: number): string {
  const before = `${place(rejected)} `;
  const why = `${rejected.reason}: ${rejected.detail} (token ${rejected.sender})`;
  return `${before}${colors.magenta('rejected')} ${rest(why, columns - before.length - 9)}`;
}

function place({ time, sdk_app_id: id }: { readonly time: string; readonly sdk_app_id: number }): string {
  return `${field(time.slice(11, 23), 12)} ${(id === 0 ? '-' : String(id)).padStart(11)}`;
}

function droppedText(rate: number, reader: number): string {
  const parts = [
    ...(rate > 0 ? [`${rate} records not shown: more than 100 a second, narrow the filter`] : []),
    ...(reader > 0 ? [`${reader} records not shown: they were not read in time`] : []),
  ];
  return parts.join('; ');
}

function field(text: string, width: number): string {
  return printable(text, width).padEnd(width);
}

/** The text in the remaining width of a line, at least 20 characters. */
function rest(text: string, width: number): string {
  return printable(text, Math.max(width, 20));
}
