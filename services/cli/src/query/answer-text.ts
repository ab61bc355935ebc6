/*
 * An answer for people: a title, its data as tables, and what they cover: window, completeness, cost. Drawn by the
 * schema of the question, so that a new question needs nothing here.
 */
import type { Answer } from '@imscope/schemas/query-api/envelope.js';
import { IsArray, IsObject, type TSchema } from 'typebox';
import colors from 'picocolors';
import { count } from '../command/count.js';
import { printable } from '../command/http-answer.js';
import { lengthText } from '../command/option-values.js';
import { completenessText } from './completeness-text.js';
import { kindOf, leavesOf, memberOf, titleOf, valueAt, withoutNull } from './answer-columns.js';
import { fitText, type Summary, tableLines, type TableOptions, textWidth } from './answer-table.js';
import { bytesText, cellText, millisecondsText, percentText, timeText } from './cell-text.js';

/** @param title such as `overview`; the application is added @param data the schema of the data */
export function answerText(
  answer: Answer<unknown>,
  { title, data }: { readonly title: string; readonly data: TSchema },
  options: TableOptions,
): string {
  const lines = [
    colors.bold(titleText(answer, title)),
    ...dataLines(answer.data, data, options),
    ...leftOutLine(answer.left_out),
    '',
    ...coverLines(answer, options.columns).map((line) => colors.dim(line)),
  ];
  return lines.join('\n');
}

function titleText({ application }: Answer<unknown>, title: string): string {
  if (application === undefined) return title;
  const { sdk_app_id: id, name, owner } = application;
  const named = name === '' ? '' : ` ${printable(name, 40)}`;
  return `${title} of ${id}${named}${owner === '' ? '' : ` (${printable(owner, 40)})`}`;
}

function dataLines(data: unknown, given: TSchema, options: TableOptions): string[] {
  const schema = withoutNull(given);
  if (IsArray(schema) && Array.isArray(data)) return tableLines(data, schema.items, options);
  if (!IsObject(schema)) return [cellText(data, { path: '', kind: kindOf(schema), isOneDay: false })];
  const leaves = leavesOf(schema, '');
  const tables = leaves.flatMap(([path, leaf]) => {
    const rows = valueAt(data, path);
    return IsArray(leaf) && isTable(leaf.items) && Array.isArray(rows)
      ? [{ path, rows, items: leaf.items }]
      : [];
  });
  const isNote = (path: string): boolean =>
    path === NEXT_CURSOR || path === 'left_out' || tables.some((table) => path === `${table.path}_left_out`);
  const [first] = tables;
  const labels = first === undefined ? [] : labelsOfSummaries(leaves, first.items);
  const isSummary = (path: string): boolean => labels.some((label) => path.startsWith(`${label}.`));
  const fields = leaves.filter(
    ([path, leaf]) => !(IsArray(leaf) && isTable(leaf.items)) && !isNote(path) && !isSummary(path),
  );
  return [
    ...fieldLines(data, fields, options),
    ...tables.flatMap(({ path, rows, items }) => [
      ...(tables.length === 1 && fields.length === 0 ? [] : ['', colors.bold(titleOf(path))]),
      ...tableLines(rows, items, options, path === first?.path ? summariesOf(data, labels) : []),
      ...leftOutLine(valueAt(data, `${path}_left_out`)),
    ]),
    ...leftOutLine(memberOf(data, 'left_out')),
    ...nextLine(memberOf(data, NEXT_CURSOR)),
  ];
}

/** Objects beside a table that have the figures of its rows, such as `other` and `total`. */
function labelsOfSummaries(leaves: readonly Leaf[], items: TSchema): string[] {
  const ofRows = new Set(leavesOf(withoutNull(items), '').map(([path]) => path));
  return namesOfNested(leaves).filter((label) => {
    const inner = leaves.filter(([path]) => path.startsWith(`${label}.`));
    const shared = inner.filter(([path]) => ofRows.has(path.slice(label.length + 1)));
    return 2 * shared.length > inner.length && !isBesideOwn(leaves, label);
  });
}

/** Those that the answer has: `other` is null where all groups are listed. */
function summariesOf(data: unknown, labels: readonly string[]): Summary[] {
  return labels.flatMap((label) => {
    const row = memberOf(data, label);
    return typeof row === 'object' && row !== null ? [{ label, row }] : [];
  });
}

/** The object around a nested one has the same figures: the nested one is compared with it. */
function isBesideOwn(leaves: readonly Leaf[], label: string): boolean {
  const inner = leaves.filter(([path]) => path.startsWith(`${label}.`));
  const beside = inner.filter(([path]) => leaves.some(([own]) => `${label}.${own}` === path));
  return 2 * beside.length > inner.length;
}

function namesOfNested(leaves: readonly Leaf[]): string[] {
  return [
    ...new Set(leaves.flatMap(([path]) => (path.includes('.') ? [path.slice(0, path.indexOf('.'))] : []))),
  ];
}

function isTable(items: TSchema): boolean {
  return IsObject(withoutNull(items));
}

const NEXT_CURSOR = 'next_cursor';

function nextLine(cursor: unknown): string[] {
  return typeof cursor === 'string' ? [colors.dim(`more: --cursor ${printable(cursor, 512)}`)] : [];
}

function leftOutLine(leftOut: unknown): string[] {
  if (typeof leftOut !== 'number' || leftOut === 0) return [];
  return [colors.yellow(`and ${count(leftOut)} more that the service left out`)];
}

type Leaf = readonly [path: string, schema: TSchema];

/** One line a field. Nested objects with the same fields, such as the span before, are columns beside it. */
function fieldLines(data: unknown, fields: readonly Leaf[], options: TableOptions): string[] {
  const own = new Set(fields.map(([path]) => path));
  const groups = groupsOf(fields, own);
  const isGrouped = (path: string): boolean =>
    groups.some((name) => path.startsWith(`${name}.`) && own.has(path.slice(name.length + 1)));
  const shown = fields.filter(([path]) => !isGrouped(path) && isAsked(path, options.wanted));
  const text = (path: string, schema: TSchema): string =>
    cellText(valueAt(data, path), { path, kind: kindOf(schema), isOneDay: false });
  const rows = shown.map(([path, schema]) => [
    titleOf(path),
    text(path, schema),
    ...groups.map((name) => (own.has(`${name}.${path}`) ? text(`${name}.${path}`, schema) : '')),
  ]);
  if (rows.length === 0) return [];
  const head = groups.length === 0 ? [] : [['', 'now', ...groups]];
  return columnsOfText([...head, ...rows], options.columns).map((line, index) =>
    head.length > index ? colors.bold(line.toUpperCase()) : line,
  );
}

/** Nested objects most of whose fields are beside them too. */
function groupsOf(fields: readonly Leaf[], own: ReadonlySet<string>): string[] {
  return namesOfNested(fields).filter((name) => {
    const inner = fields.filter(([path]) => path.startsWith(`${name}.`));
    const shared = inner.filter(([path]) => own.has(path.slice(name.length + 1)));
    return 2 * shared.length > inner.length;
  });
}

function isAsked(path: string, wanted: readonly string[] | undefined): boolean {
  return wanted === undefined || wanted.includes(path) || wanted.includes(titleOf(path));
}

function columnsOfText(rows: readonly (readonly string[])[], columns: number): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => textWidth(row[at] ?? ''))));
  return rows.map((row) => {
    const cells = row.map((text, at) => {
      const blanks = ' '.repeat((widths[at] ?? 0) - textWidth(text));
      // Two columns of figures are compared digit by digit.
      return at > 0 && row.length > 2 ? blanks + text : text + blanks;
    });
    return fitText(cells.join('  ').trimEnd(), columns - 1);
  });
}

const SOURCES = {
  logs: 'from the logs',
  metrics: 'from the metrics',
  both: 'from metrics and logs',
  accounts: 'from the accounts of collectors',
} as const;

function coverLines({ window, completeness, cost }: Answer<unknown>, columns: number): string[] {
  const { from, to, step, source, logged_share: share } = window;
  const lengthMs = Date.parse(to) - Date.parse(from);
  const isOneDay = from.slice(0, 10) === to.slice(0, 10);
  const parts = [
    `${timeText(from, false)} to ${timeText(to, isOneDay)} UTC (${lengthText(lengthMs)})`,
    ...(step === null ? [] : [`step ${lengthText(step * 1_000)}`]),
    SOURCES[source],
    ...(share === null || share === 1 ? [] : [`${percentText(share)} logged one by one`]),
  ];
  const paid =
    cost === undefined
      ? []
      : [`cost: ${count(cost.rows)} rows, ${bytesText(cost.bytes)}, ${millisecondsText(cost.ms)}`];
  return [parts.join(', '), completenessText(completeness), ...paid].map((line) =>
    fitText(line, columns - 1),
  );
}
