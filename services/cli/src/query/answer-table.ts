/*
 * Rows of an answer as lines of a table that fits the terminal. Columns that do not fit are left out, those that say
 * least first, and the last line names them.
 */
import type { TSchema } from 'typebox';
import colors from 'picocolors';
import { type Column, columnsOf, isProse, valueAt } from './answer-columns.js';
import { cellText } from './cell-text.js';

export type TableOptions = {
  /** Of the terminal. */
  readonly columns: number;
  /** Paths or titles that a person asked for; undefined: what fits. */
  readonly wanted: readonly string[] | undefined;
};

/** A row below the others, such as their total. */
export type Summary = { readonly label: string; readonly row: unknown };

type Cells = { readonly column: Column; readonly texts: readonly string[]; readonly width: number };

const GAP = 2;
/** Longer texts are cut to this width where another column fits thereby. */
const TEXT_WIDTH_MIN = 24;
const NOTHING: ReadonlySet<string> = new Set(['-', '""']);

export function tableLines(
  listed: readonly unknown[],
  row: TSchema,
  options: TableOptions,
  summaries: readonly Summary[] = [],
): string[] {
  if (listed.length === 0) return [colors.dim('none')];
  const rows = [...listed, ...summaries.map((one) => one.row)];
  const all = columnsOf(row);
  const wanted = options.wanted && all.filter((column) => isWanted(column, options.wanted ?? []));
  const isOneDay = isTimeOfOneDay(rows, all);
  const cells = (wanted ?? all)
    .map((column) => cellsOf(rows, column, isOneDay))
    .filter(({ column, texts }) => wanted !== undefined || !isEmpty(column, rows, texts));
  const labels = summaries.map(({ label }) => `(${label})`);
  // The labels may be wider than the first column.
  const columns = options.columns - Math.max(0, ...labels.map(textWidth));
  const shown = wanted === undefined ? fitting(cells, columns) : cells;
  const left = cells.filter((one) => !shown.includes(one)).map(({ column }) => column.title);
  const labelled = withLabels(shown, labels);
  return [...layout(labelled, options.columns), ...leftLine(left, options.columns)];
}

/** Columns that `--columns` may name. */
export function columnTitles(row: TSchema): string[] {
  return columnsOf(row).map(({ title }) => title);
}

/** As printed: Chinese, Japanese and Korean characters take two places. */
export function textWidth(text: string): number {
  const wide = text.match(
    /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60]/gu,
  );
  return Array.from(text).length + (wide?.length ?? 0);
}

/** Cut to the width, with a sign that it was. */
export function fitText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let cut = '';
  for (const letter of text) {
    if (textWidth(cut + letter) > width - 1) break;
    cut += letter;
  }
  return `${cut}…`;
}

function isWanted({ path, title }: Column, wanted: readonly string[]): boolean {
  return wanted.includes(path) || wanted.includes(title);
}

function cellsOf(rows: readonly unknown[], column: Column, isOneDay: boolean): Cells {
  const context = { path: column.path, kind: column.kind, isOneDay };
  const texts = rows.map((row) => cellText(valueAt(row, column.path), context));
  const width = Math.max(textWidth(column.title), ...texts.map(textWidth));
  return { column, texts, width };
}

/** The labels of the last rows, in the first column. */
function withLabels(cells: readonly Cells[], labels: readonly string[]): Cells[] {
  return cells.map((one, index) => {
    if (index > 0 || labels.length === 0) return one;
    const texts = [...one.texts.slice(0, -labels.length), ...labels];
    return { ...one, texts, width: Math.max(one.width, ...labels.map(textWidth)) };
  });
}

/** Texts that no row has say nothing. A figure that no row has says that it is not known, unless rows do not have it. */
function isEmpty({ path, kind, rank }: Column, rows: readonly unknown[], texts: readonly string[]): boolean {
  if (rows.every((row) => valueAt(row, path) === undefined)) return true;
  return kind !== 'number' && rank > 0 && texts.every((text) => NOTHING.has(text));
}

function isTimeOfOneDay(rows: readonly unknown[], columns: readonly Column[]): boolean {
  const paths = columns.filter(({ kind }) => kind === 'time').map(({ path }) => path);
  const times = rows.flatMap((row) => paths.map((path) => valueAt(row, path)));
  const days = times.flatMap((time) => (typeof time === 'string' ? [time.slice(0, 10)] : []));
  return new Set(days).size <= 1;
}

/** The most telling columns that fit, in the order of the answer; long texts last. */
function fitting(cells: readonly Cells[], columns: number): Cells[] {
  const kept = new Set<Cells>();
  let used = -GAP;
  for (const one of cells.toSorted((a, b) => a.column.rank - b.column.rank)) {
    const least = GAP + leastWidth(one);
    if (kept.size > 0 && used + least > columns - 1) continue;
    kept.add(one);
    used += least;
  }
  return cells.filter((one) => kept.has(one));
}

function leastWidth({ column, width }: Cells): number {
  return column.kind === 'text' ? Math.min(width, TEXT_WIDTH_MIN) : width;
}

/** Texts take what the other columns leave, long ones last. */
function layout(cells: readonly Cells[], columns: number): string[] {
  const ordered = cells.toSorted((a, b) => Number(isProse(a.column)) - Number(isProse(b.column)));
  const least = ordered.reduce((sum, one) => sum + GAP + leastWidth(one), -GAP);
  let spare = Math.max(columns - 1 - least, 0);
  const widths = ordered.map((one) => {
    const more = Math.min(one.width - leastWidth(one), spare);
    spare -= more;
    return leastWidth(one) + more;
  });
  const line = (textOf: (one: Cells) => string): string =>
    ordered
      .map((one, index) => padded(textOf(one), widths[index] ?? 0, one.column.kind === 'number'))
      .join(' '.repeat(GAP))
      .trimEnd();
  const [first] = ordered;
  const rows = first?.texts.map((_, row) => line(({ texts }) => texts[row] ?? '')) ?? [];
  return [colors.bold(line(({ column }) => column.title.toUpperCase())), ...rows];
}

function padded(text: string, width: number, isNumber: boolean): string {
  const fitted = fitText(text, width);
  const blanks = ' '.repeat(Math.max(width - textWidth(fitted), 0));
  return isNumber ? blanks + fitted : fitted + blanks;
}

function leftLine(titles: readonly string[], columns: number): string[] {
  if (titles.length === 0) return [];
  return [colors.dim(fitText(`not shown (--columns, --json): ${titles.join(', ')}`, columns - 1))];
}
