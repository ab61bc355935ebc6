/* The table of `imscope top`, at most as wide and high as the terminal. Pure. */
import { type Tier, tierOf } from '@imscope/schemas/health.js';
import Table from 'cli-table3';
import colors from 'picocolors';
import { printable } from './http-answer.js';
import { count } from './progress.js';
import type { ApplicationsAnswer } from './query-client.js';

type Row = ApplicationsAnswer['data'][number];

const COLUMNS = [
  'APPLICATION',
  'REQ/S',
  'SUCCESS',
  'ERRORS',
  'P50',
  'P95',
  'P99',
  'WORST INTERFACE',
] as const;
/** With a blank between columns: 11 + 7 + 7 + 8 + 7 + 7 + 7 + 7 blanks = 61, so 18 of 79 remain. */
const WIDTHS = [11, 7, 7, 8, 7, 7, 7] as const;
const WORST_WIDTH_MIN = 18;
const WORST_WIDTH_MAX = 48;

/**
 * Lines of the table, the header first. The last line counts the rows that do not fit into `rowsMax` lines and those
 * that the service did not list.
 */
export function topTable(
  rows: readonly Row[],
  options: {
    readonly columns: number;
    readonly rowsMax: number;
    /** Applications beyond the rows that the service did not list. */
    readonly leftOut?: number;
  },
): string[] {
  const { columns, rowsMax, leftOut = 0 } = options;
  const used = WIDTHS.reduce((total, width) => total + width + 1, 0);
  const worstWidth = Math.min(Math.max(columns - 1 - used, WORST_WIDTH_MIN), WORST_WIDTH_MAX);
  const lastLine = leftOut === 0 ? 0 : 1;
  const shown = rows.length + 1 + lastLine > rowsMax ? rows.slice(0, Math.max(rowsMax - 2, 1)) : rows;
  const table = new Table({
    head: COLUMNS.map((title, index) => colors.bold(index === COLUMNS.length - 1 ? `  ${title}` : title)),
    colWidths: [...WIDTHS.map((width, index) => (index === 0 ? width : width + 1)), worstWidth + 1],
    colAligns: ['right', 'right', 'right', 'right', 'right', 'right', 'right', 'left'],
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of shown) table.push(cells(row, worstWidth));
  const lines = table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
  const hidden = rows.length - shown.length;
  if (hidden + leftOut === 0) return lines;
  const where = leftOut === 0 ? '--json gives all' : `the service lists ${count(rows.length)}, worst first`;
  return [...lines, colors.dim(`and ${count(hidden + leftOut)} more; ${where}`)];
}

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};

function cells(row: Row, worstWidth: number): string[] {
  const errors = row.outcomes.service_error;
  return [
    String(row.sdk_app_id),
    rate(row.requests_per_s),
    successRate(row),
    errors === 0 ? colors.dim('0') : colors.red(short(errors)),
    milliseconds(row.latency_ms.p50),
    milliseconds(row.latency_ms.p95),
    milliseconds(row.latency_ms.p99),
    `  ${worst(row, worstWidth - 2)}`,
  ];
}

function worst({ worst_interface: found, outcomes }: Row, width: number): string {
  if (found === null) return colors.dim(tierOf(outcomes) === 'unjudged' ? '-' : 'none');
  return printable(found.interface, width);
}

function rate(perSecond: number): string {
  if (perSecond >= 1_000) return short(perSecond);
  // Rounded, it would be shown as no requests.
  if (perSecond > 0 && perSecond < 0.05) return '<0.1';
  return perSecond.toFixed(perSecond >= 100 ? 0 : 1);
}

/** 12,345 → `12.3k`: at most 6 characters. */
function short(number: number): string {
  if (number < 1_000) return String(Math.round(number));
  const [value, unit] =
    number < 999_500
      ? [number / 1_000, 'k']
      : number < 999_500_000
        ? [number / 1e6, 'M']
        : [number / 1e9, 'G'];
  return `${value.toFixed(value >= 100 ? 0 : 1)}${unit}`;
}

/** Rounded down: 99.999 % is not shown as 100 %. */
function successRate({ success_rate: share, outcomes }: Row): string {
  if (share === null) return colors.dim('-');
  const text = share === 1 ? '100 %' : `${(Math.floor(share * 10_000) / 100).toFixed(2)}%`;
  return PAINT[tierOf(outcomes)](text);
}

const PAINT: Readonly<Record<Tier, (text: string) => string>> = {
  failing: colors.red,
  degraded: colors.yellow,
  healthy: colors.green,
  unjudged: colors.dim,
};

function milliseconds(value: number | null): string {
  if (value === null) return colors.dim('-');
  if (value >= 99_950) return `${Math.round(value / 1_000)}s`;
  if (value >= 9_995) return `${(value / 1_000).toFixed(1)}s`;
  return `${value.toFixed(value >= 100 ? 0 : 1)}ms`;
}
