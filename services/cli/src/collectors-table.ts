/* The table of `imscope collector list`. Pure. Foreign text is made safe for a terminal. */
import type { CollectorRow } from '@imscope/schemas/query-api/collectors.js';
import Table from 'cli-table3';
import colors from 'picocolors';
import { count } from './command/count.js';
import { printable } from './command/http-answer.js';
import { NO_LINES } from './command/no-lines.js';

const NAME_LENGTH_MAX = 32;
const BOOT_LENGTH_MAX = 16;
const TEXT_LENGTH_MAX = 24;
const HEAD = [
  'COLLECTOR',
  'BOOT',
  'STATE',
  'HEARD',
  'VERSION',
  'SETTINGS',
  'REGION',
  'SPOOL',
  'WAITING',
  'ACCEPTED',
  'SENT',
  'MISSING',
];
const ALIGN_RIGHT_FROM = HEAD.indexOf('SPOOL');
const PAINT: Readonly<Record<CollectorRow['state'], (text: string) => string>> = {
  silent: colors.red,
  unknown: colors.red,
  live: colors.green,
  retired: colors.dim,
  ended: colors.dim,
};

/** Lines, the header first. Below the table: retirements, and how many rows the service left out. */
export function collectorsTable(
  rows: readonly CollectorRow[],
  leftOut: number,
  nowMs: number,
): readonly string[] {
  if (rows.length === 0) return ['no collector was heard in this window'];
  const table = new Table({
    head: HEAD.map((title) => colors.bold(title)),
    colAligns: HEAD.map((_, index) => (index >= ALIGN_RIGHT_FROM ? 'right' : 'left')),
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  for (const row of rows) table.push(cells(row, nowMs));
  const lines = table.toString().split('\n');
  const retired = rows.flatMap(({ retirement, ...row }) =>
    retirement === null ? [] : [retirementText(row, retirement)],
  );
  const more = leftOut === 0 ? [] : [colors.dim(`and ${count(leftOut)} more that the service does not list`)];
  return [...lines.map((line) => line.trimEnd()), ...retired, ...more];
}

function cells(row: CollectorRow, nowMs: number): string[] {
  const { spool, records } = row;
  return [
    printable(row.collector, NAME_LENGTH_MAX),
    printable(row.boot, BOOT_LENGTH_MAX),
    PAINT[row.state](row.state),
    agoText(nowMs - Date.parse(row.last_heard)),
    printable(row.version === '' ? '-' : row.version, TEXT_LENGTH_MAX),
    printable(row.settings_hash === '' ? '-' : row.settings_hash, TEXT_LENGTH_MAX),
    printable(row.region === '' ? '-' : row.region, TEXT_LENGTH_MAX),
    spool === null ? '-' : `${bytesText(spool.bytes)} of ${bytesText(spool.bytes_max)}`,
    spool === null ? '-' : count(spool.waiting_batches),
    count(records.accepted),
    count(records.sent),
    records.missing === 0 ? '0' : colors.red(count(records.missing)),
  ];
}

function retirementText(
  { collector, boot }: Pick<CollectorRow, 'collector' | 'boot'>,
  retirement: NonNullable<CollectorRow['retirement']>,
): string {
  const { at, by, reason, missing, unaccounted_max: unaccounted, taken_back: isTakenBack } = retirement;
  const name = `${printable(collector, NAME_LENGTH_MAX)} (${printable(boot, BOOT_LENGTH_MAX)})`;
  const booked = `retired ${at.slice(0, 16).replace('T', ' ')}Z by ${printable(by, NAME_LENGTH_MAX)}: ${printable(reason, 200)}`;
  const loss = `${count(missing)} records lost, at most ${count(unaccounted)} more`;
  return isTakenBack
    ? colors.yellow(`${name} ${booked}; it came back, so this does not count: ${loss}`)
    : colors.dim(`${name} ${booked}; ${loss}`);
}

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1_000, 's'],
] as const;

/** `12 s` → `12s ago`; two minutes and 5 seconds → `2m ago`. */
function agoText(ms: number): string {
  const [unit, name] = UNITS.find(([length]) => ms >= length) ?? [1_000, 's'];
  return `${Math.max(0, Math.floor(ms / unit))}${name} ago`;
}

function bytesText(bytes: number): string {
  if (bytes < 1 << 20) return `${Math.ceil(bytes / 1_024)} KiB`;
  return `${(bytes / (1 << 20)).toFixed(bytes < 100 << 20 ? 1 : 0)} MiB`;
}
