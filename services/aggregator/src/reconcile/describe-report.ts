/*
 * A report as text for a terminal: what was compared, what differs, and what to do.
 */
import type { RetiredLoss } from '@imscope/accounting/balance/retired-losses.js';
import type { Checked, LedgerReport } from './check-ledger.js';
import { type Check, CHECKS, type Difference, type DifferenceKind } from './difference.js';
import { MINUTE_MS } from './pass.js';

const TITLES: Readonly<Record<Check, string>> = {
  offsets: 'offsets without a gap',
  rows: 'rows by block = ledger',
  boots: 'sent by boot = stored + duplicate + dead + expired + retired',
  metrics: 'metric counts = weights stored',
};

/** What to do, by kind; `docs/reconciliation.md` of the aggregator says why. */
const ADVICE: Readonly<Record<DifferenceKind, string>> = {
  offset_gap:
    'rows there: only the ledger row is lost. No rows: messages were skipped; see batches missing below.',
  offset_overlap:
    'two owners cut differently: do aggregators of different versions run? Rows may be doubled.',
  unread_messages: 'the broker deleted them unread: raise its retention or add aggregators; they are lost.',
  missing_rows: 'deleted in the store, or an insert was undone by a power failure: answers lack these rows.',
  doubled_rows: 'an insert was done twice: answers count these rows twice. Delete one copy by block and row.',
  unbooked_rows:
    'stored, but not in the ledger: restore the ledger row, or delete the rows if no gap has them.',
  missing_accounts: 'accounts were deleted in the store: later ones cover what they covered.',
  doubled_accounts: 'an insert of accounts was done twice: harmless, they are cumulative.',
  missing_batches: 'lost between collector and store. "imscope spool check" on that collector; dead letters.',
  doubled_batches: 'stored by two blocks: answers count these records twice.',
  unsent_batches:
    'still in the spool of that collector: start it there. Lost with its disk: "imscope collector retire".',
  unvouched_batches:
    'killed after its last account: start the collector on its spool, it writes the final one.',
  record_sum: 'collector and ledger count these batches differently: keep the spool and report it.',
  keyed_sum: 'lost, or the ids of more keys than a collector remembers were sent again.',
  no_account: 'no account came: is edge_account complete, does an aggregator own im.edge-account?',
  silent_boot:
    'is that collector running? If it was killed, start it on its spool. Gone for ever: "imscope collector retire".',
  retired_returned:
    'it was not gone: its records count once, as of any collector. This is reported for an hour.',
  missing_logs: 'the edge counted more than is stored: see rows and batches missing above.',
  missing_metrics: 'more is stored than the edge counted: doubled rows, or metrics that are lost.',
};

/** Differences of one check shown in full. */
const SHOWN_MAX = 20;

export function describeReport({ checked, pending, retired, differences }: LedgerReport): string {
  const lines = [...describeChecked(checked)];
  if (pending.batches > 0) {
    const { batches, boots } = pending;
    lines.push(
      `on its way  ${some(batches, 'batch', 'batches')} of ${some(boots, 'boot')}: sent, not stored yet`,
    );
  }
  lines.push(...describeRetired(retired));
  for (const check of CHECKS) {
    const found = differences.filter((difference) => difference.check === check);
    if (found.length > 0) lines.push('', ...describeCheck(check, found));
  }
  return `${[...lines, '', verdict(checked, differences)].join('\n')}\n`;
}

function describeChecked(checked: Checked): string[] {
  const { toMs, minutesToMs } = checked;
  const metrics =
    minutesToMs === null
      ? 'nothing is settled: accounts lag behind the ledger, or there are none'
      : `${some(checked.minutes, 'minute')} of ${some(checked.applications, 'application')}, up to ${clock(Math.min(minutesToMs, toMs))}`;
  return [
    `Ledger from ${clock(checked.fromMs)} to ${clock(toMs)}`,
    `offsets     ${some(checked.blocks, 'block')} in ${some(checked.partitions, 'partition')}`,
    `rows        ${some(checked.rows, 'row')} of ${some(checked.logBlocks, 'block')}, ${some(checked.accountRows, 'account')}`,
    `boots       ${some(checked.batches, 'batch', 'batches')} of ${some(checked.boots, 'boot')} of ${some(checked.collectors, 'collector')}`,
    `metrics     ${metrics}`,
  ];
}

function describeRetired(retired: readonly RetiredLoss[]): string[] {
  if (retired.length === 0) return [];
  const missing = retired.reduce((sum, one) => sum + one.missing, 0);
  const unaccounted = retired.reduce((sum, one) => sum + one.unaccounted, 0);
  return [
    `retired     ${some(retired.length, 'boot')}: ${some(missing, 'record')} lost, and at most ${number(unaccounted)} that no account covers`,
    ...retired
      .slice(0, SHOWN_MAX)
      .map(
        ({ boot, collector, atMs, by, reason, ...lost }) =>
          `  boot ${boot} of ${collector}, ${clock(atMs)} by ${by}: ${number(lost.missing)} lost, at most ${number(lost.unaccounted)} more (${reason})`,
      ),
    ...(retired.length > SHOWN_MAX
      ? [`  and ${number(retired.length - SHOWN_MAX)} more; --json gives all`]
      : []),
  ];
}

function describeCheck(check: Check, differences: readonly Difference[]): string[] {
  const described = check === 'metrics' ? byApplication(differences) : differences.map(describeDifference);
  const shown = described.slice(0, SHOWN_MAX).flat();
  const left = described.length - SHOWN_MAX;
  const kinds = [...new Set(differences.map(({ kind }) => kind))];
  return [
    `${check}: ${some(differences.length, 'difference')} (${TITLES[check]})`,
    ...shown,
    ...(left > 0 ? [`  and ${number(left)} more; --json gives all`] : []),
    ...kinds.map((kind) => `  → ${kind.replaceAll('_', ' ')}: ${ADVICE[kind]}`),
  ];
}

function describeDifference(difference: Difference): string[] {
  const { expected, found, words } = difference;
  return [`  ${placeOf(difference)}`, `      expected ${number(expected)}, found ${number(found)}: ${words}`];
}

/** A fault of one block is seen in hundreds of minutes: a line for each application and kind. */
function byApplication(differences: readonly Difference[]): string[][] {
  const groups = Map.groupBy(differences, ({ sdk_app_id, kind }) => `${sdk_app_id} ${kind}`);
  return Array.from(groups.values(), (minutes) => {
    const [first, last] = [minutes[0], minutes.at(-1)];
    if (first === undefined || last === undefined || minutes.length === 1) {
      return minutes.flatMap(describeDifference);
    }
    const expected = minutes.reduce((sum, minute) => sum + minute.expected, 0);
    const found = minutes.reduce((sum, minute) => sum + minute.found, 0);
    const span = `${minuteText(first)} to ${minuteText(last)}`;
    return [
      `  application ${first.sdk_app_id} in ${some(minutes.length, 'minute')} from ${span}`,
      `      expected ${number(expected)}, found ${number(found)} over these minutes`,
    ];
  });
}

function minuteText({ minute = '' }: Difference): string {
  return `${minute.slice(0, 16)}Z`;
}

function placeOf(difference: Difference): string {
  const { topic, epoch, partition, block, boot, collector, sdk_app_id: application, minute } = difference;
  const parts = [
    topic === undefined ? '' : `${topic}${partition === undefined ? '' : `/${partition}`}`,
    epoch === undefined || epoch === 0 ? '' : `epoch ${epoch}`,
    range('offset', difference.first_offset, difference.last_offset),
    block === undefined ? '' : `block ${block}`,
    boot === undefined ? '' : `boot ${boot}`,
    collector === undefined ? '' : `of ${collector}`,
    range('sequence', difference.first_sequence, difference.last_sequence),
    application === undefined ? '' : `application ${application}`,
    minute === undefined ? '' : `at ${minuteText(difference)}`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function range(word: string, first: number | undefined, last: number | undefined): string {
  if (first === undefined || last === undefined) return '';
  return first === last ? `${word} ${first}` : `${word}s ${first} to ${last}`;
}

function verdict(
  { blocks, rows, accountRows, batches }: Checked,
  differences: readonly Difference[],
): string {
  if (differences.length === 0) {
    const isEmpty = blocks + rows + accountRows + batches === 0;
    return isEmpty
      ? 'Nothing is stored since then: there was nothing to check.'
      : 'Ledger, accounts and rows agree.';
  }
  const several = new Set(differences.map(({ check }) => check)).size > 1;
  const sides = several ? ' One fault is often seen from several sides.' : '';
  return `${some(differences.length, 'difference')}.${sides}`;
}

/** `2026-11-24 12:01Z`. */
function clock(ms: number): string {
  const minute = Math.floor(ms / MINUTE_MS) * MINUTE_MS;
  return `${new Date(minute).toISOString().slice(0, 16).replace('T', ' ')}Z`;
}

function some(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
