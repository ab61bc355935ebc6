/* The report about a spool as text, for a terminal. */
import type { IncarnationReport, SpoolFault, SpoolReport } from './check-spool.js';

const COLUMNS = [
  'boot',
  'collector',
  'state',
  'segments',
  'bytes',
  'batches',
  'records',
  'not in Kafka',
  'since',
];

export function describeSpool(directory: string, report: SpoolReport, nowMs: number): string {
  const holder = report.heldBy === null ? 'held by no process' : `held by process ${report.heldBy}`;
  const rows = report.boots.map((incarnation) => rowOf(incarnation, nowMs));
  const lines = [`${directory}: ${holder}`];
  if (rows.length === 0) lines.push('It is empty: nothing waits for Kafka.');
  else lines.push(...table([COLUMNS, ...rows]));
  lines.push(...report.faults.map(faultLine), verdict(report.faults));
  return `${lines.join('\n')}\n`;
}

function rowOf(incarnation: IncarnationReport, nowMs: number): string[] {
  const waiting = `${count(incarnation.waitingBatches)} (${count(incarnation.waitingRecords)} records)`;
  return [
    incarnation.boot,
    incarnation.collector,
    incarnation.state,
    count(incarnation.segments),
    count(incarnation.bytes),
    count(incarnation.batches),
    count(incarnation.records),
    incarnation.waitingBatches === 0 ? 'none' : waiting,
    incarnation.waitingSinceMs === null ? '' : ago(nowMs - incarnation.waitingSinceMs),
  ];
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function faultLine({ kind, file, offset, bytes }: SpoolFault): string {
  if (kind === 'torn_tail') {
    return `torn tail: ${file} ends within an entry, ${count(bytes)} bytes from offset ${offset} will be cut off`;
  }
  if (kind === 'damaged')
    return `damaged: ${file} holds no entry in ${count(bytes)} bytes from offset ${offset}`;
  return `unreadable: ${file} cannot be read`;
}

function verdict(faults: readonly SpoolFault[]): string {
  const bad = faults.filter(({ kind }) => kind !== 'torn_tail').length;
  if (bad === 0) return 'Complete: no entry is damaged.';
  return `${bad} ${bad === 1 ? 'place is' : 'places are'} damaged: batches there are lost; the others will be sent.`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}
