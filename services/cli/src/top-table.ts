/* The table of `imscope top`, at most as wide and high as the terminal. Pure. */
import type { Tier } from '@imscope/schemas/health.js';
import Table from 'cli-table3';
import colors from 'picocolors';
import { NO_LINES } from './command/no-lines.js';
import { printable } from './command/http-answer.js';
import { count } from './command/count.js';
import type { ApplicationsAnswer } from './query/query-client.js';

type Row = ApplicationsAnswer['data']['applications'][number];

type Column = {
  readonly title: string;
  readonly width: number;
  readonly align: 'left' | 'right';
  readonly cell: (row: Row) => string;
};

/** With a blank between columns: 11 + 7 + 7 + 8 + 7 + 7 + 7 + 7 blanks = 61, so 18 of 79 remain. */
const APPLICATION: Column = {
  title: 'APPLICATION',
  width: 11,
  align: 'right',
  cell: (row) => String(row.sdk_app_id),
};
const FIGURES: readonly Column[] = [
  { title: 'REQ/S', width: 7, align: 'right', cell: (row) => rate(row.requests_per_s) },
  { title: 'SUCCESS', width: 7, align: 'right', cell: successRate },
  { title: 'ERRORS', width: 8, align: 'right', cell: serviceErrors },
  { title: 'P50', width: 7, align: 'right', cell: (row) => milliseconds(row.latency_ms.p50) },
  { title: 'P95', width: 7, align: 'right', cell: (row) => milliseconds(row.latency_ms.p95) },
  { title: 'P99', width: 7, align: 'right', cell: (row) => milliseconds(row.latency_ms.p99) },
];
/** Names have a column where the terminal is this wide, and one is known. */
const NAMES_FROM_COLUMNS = 100;
const NAME_WIDTH = 20;
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
  const layout = columnsOf(rows, columns);
  const lastLine = leftOut === 0 ? 0 : 1;
  const shown = rows.length + 1 + lastLine > rowsMax ? rows.slice(0, Math.max(rowsMax - 2, 1)) : rows;
  const table = new Table({
    head: layout.map(({ title, align }) => colors.bold(align === 'left' ? `  ${title}` : title)),
    colWidths: layout.map(({ width }, index) => (index === 0 ? width : width + 1)),
    colAligns: layout.map(({ align }) => align),
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of shown) table.push(layout.map(({ cell }) => cell(row)));
  const lines = table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
  const hidden = rows.length - shown.length;
  if (hidden + leftOut === 0) return lines;
  const where = leftOut === 0 ? '--json gives all' : `the service lists ${count(rows.length)}, worst first`;
  return [...lines, colors.dim(`and ${count(hidden + leftOut)} more; ${where}`)];
}

/** The last column takes what the others leave. Columns of text begin with two blanks. */
function columnsOf(rows: readonly Row[], terminalColumns: number): readonly Column[] {
  const hasNames = terminalColumns >= NAMES_FROM_COLUMNS && rows.some(({ name }) => name !== '');
  const name: Column = {
    title: 'NAME',
    width: NAME_WIDTH + 1,
    align: 'left',
    cell: (row) => `  ${printable(row.name, NAME_WIDTH)}`,
  };
  const fixed = [APPLICATION, ...(hasNames ? [name] : []), ...FIGURES];
  const used = fixed.reduce((total, { width }) => total + width + 1, 0);
  const width = Math.min(Math.max(terminalColumns - 1 - used, WORST_WIDTH_MIN), WORST_WIDTH_MAX);
  const last: Column = {
    title: 'WORST INTERFACE',
    width,
    align: 'left',
    cell: (row) => `  ${worst(row, width - 2)}`,
  };
  return [...fixed, last];
}

function serviceErrors({ outcomes }: Row): string {
  const errors = outcomes.service_error;
  return errors === 0 ? colors.dim('0') : colors.red(short(errors));
}

function worst({ worst_interface: found, health }: Row, width: number): string {
  if (found === null) return colors.dim(health.tier === 'unjudged' ? '-' : 'none');
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
function successRate({ success_rate: share, health }: Row): string {
  if (share === null) return colors.dim('-');
  const text = share === 1 ? '100 %' : `${(Math.floor(share * 10_000) / 100).toFixed(2)}%`;
  return PAINT[health.tier](text);
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
