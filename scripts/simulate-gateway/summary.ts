/*
 * Formats the summary for people: totals, incidents and a table of the truth.
 */
import Table from 'cli-table3';
import type { Application } from './applications.js';
import { describeIncident, type Incident } from './incidents.js';
import type { ApplicationTruth, Counts, TruthReport } from './truth.js';

const HEAD = [
  'application',
  'sent',
  'success %',
  'caller',
  'service',
  'unknown',
  'avg ms',
  'p50',
  'p99',
  'codes',
];
const CODES_SHOWN = 4;

/** The truth as text, largest application first; `interfaces` adds a row for each of theirs. */
export function renderSummary(report: TruthReport, interfaces: boolean): string {
  const table = new Table({
    head: HEAD,
    colAligns: ['left', ...HEAD.slice(1, -1).map(() => 'right' as const), 'left'],
    style: { head: [], border: [], compact: true },
  });
  for (const application of report.applications) {
    table.push(row(`${application.sdk_app_id} ${application.name}`, application));
    for (const known of interfaces ? application.interfaces : [])
      table.push(row(`  ${known.interface}`, known));
  }
  return `${table.toString()}\n${renderTotals(report)}\n`;
}

function renderTotals({ totals, percentiles }: TruthReport): string {
  const shown = (['rejected', 'ambiguous', 'unsent'] as const).map((kind) => {
    const reasons = Object.entries(totals.reasons[kind]).map(
      ([reason, count]) => `${reason} ${number(count)}`,
    );
    return `${kind.toUpperCase()} ${number(totals[kind])}${reasons.length > 0 ? ` (${reasons.join(', ')})` : ''}`;
  });
  return [
    `SENT ${number(totals.acknowledged)} acknowledged`,
    ...shown,
    `SKIPPED ${number(totals.skipped)}`,
    `percentiles ${percentiles.replaceAll('_', ' ')}`,
  ].join('   ');
}

function row(name: string, counts: Counts): string[] {
  const { outcomes, acknowledged, latency_sum_us: sumUs, latency_us: latency } = counts;
  const rated = outcomes.success + outcomes.service_error;
  return [
    name,
    number(acknowledged),
    rated === 0 ? '–' : ((outcomes.success / rated) * 100).toFixed(3),
    number(outcomes.caller_error),
    number(outcomes.service_error),
    number(outcomes.unknown),
    acknowledged === 0 ? '–' : (sumUs / acknowledged / 1000).toFixed(2),
    milliseconds(latency.p50),
    milliseconds(latency.p99),
    failureCodes(counts),
  ];
}

function failureCodes({ codes }: Pick<ApplicationTruth, 'codes'>): string {
  return Object.entries(codes)
    .filter(([code]) => code !== '0')
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, CODES_SHOWN)
    .map(([code, count]) => `${code}: ${number(count)}`)
    .join('  ');
}

function milliseconds(us: number | null): string {
  return us === null ? '–' : (us / 1000).toFixed(1);
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

/** One line for each incident: time, name, target. */
export function renderIncident(known: Incident, applications: readonly Application[]): string {
  const application = applications[known.applicationIndex % applications.length];
  const until = Number.isFinite(known.toMs) ? new Date(known.toMs).toISOString() : 'until ended';
  return `${known.name}: ${new Date(known.fromMs).toISOString()} to ${until}: ${describeIncident(known.name, application?.name ?? '')}`;
}
