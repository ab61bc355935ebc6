/*
 * The summary of a sent file, as JSON and as text with the same numbers, and its exit code.
 * read = accepted + rejected + in doubt + not sent.
 */
import colors from 'picocolors';
import { count } from './command/count.js';
import { EXIT } from './command/exit-codes.js';
import type { SendResult } from './send-file.js';
import type { LineRange, ReasonCount } from './tally.js';

export type SendSummary = {
  readonly file: string;
  readonly read: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly rejected_by_reason: readonly ReasonCount[];
  readonly in_doubt: number;
  readonly in_doubt_ranges: readonly LineRange[];
  readonly not_sent: number;
  readonly not_sent_ranges: readonly LineRange[];
  readonly retries: number;
  /** Why reading ended before the end of the file, or null. */
  readonly ended_early: string | null;
  readonly elapsed_s: number;
  readonly accepted_per_s: number;
  /** The offset added to every time, or null. */
  readonly shift: { readonly ms: number; readonly newest: string; readonly newest_line: number } | null;
  readonly applications: readonly {
    readonly sdk_app_id: number;
    /** Records in requests with accepted records. */
    readonly sent: number;
    readonly link: string;
  }[];
  readonly exit_code: number;
};

const APPLICATIONS_SHOWN_MAX = 5;
const APPLICATIONS_LISTED_MAX = 100;
const RANGES_SHOWN_MAX = 5;

/** @param dashboard base URL of the dashboard */
export function summarize(
  { tally, endedEarly }: SendResult,
  context: {
    readonly file: string;
    readonly elapsedMs: number;
    readonly shift: SendSummary['shift'];
    readonly dashboard: URL;
  },
): SendSummary {
  const { read, accepted, rejected, inDoubt, notSent } = tally;
  const failed = inDoubt > 0 || notSent > 0 || endedEarly !== undefined;
  return {
    file: context.file,
    read,
    accepted,
    rejected,
    rejected_by_reason: tally.reasons,
    in_doubt: inDoubt,
    in_doubt_ranges: tally.inDoubtRanges,
    not_sent: notSent,
    not_sent_ranges: tally.notSentRanges,
    retries: tally.retries,
    ended_early: endedEarly ?? null,
    elapsed_s: Math.round(context.elapsedMs) / 1000,
    accepted_per_s: Math.round((accepted * 1000) / Math.max(context.elapsedMs, 1)),
    shift: context.shift,
    applications: tally.applications.slice(0, APPLICATIONS_LISTED_MAX).map((application) => ({
      sdk_app_id: application.sdkAppId,
      sent: application.sent,
      link: new URL(`applications/${application.sdkAppId}`, context.dashboard).href,
    })),
    exit_code: failed ? EXIT.failed : rejected > 0 ? EXIT.rejected : EXIT.ok,
  };
}

/** The summary as text for people. */
export function describeSummary(summary: SendSummary): string {
  return [
    ...totals(summary),
    ...reasons(summary.rejected_by_reason),
    ...ranges('in doubt', summary.in_doubt_ranges),
    ...(summary.in_doubt > 0
      ? [
          colors.yellow(
            'in doubt: no answer came while they were sent again under their key; they may or may not be stored, so compare with the dashboard before sending them again',
          ),
        ]
      : []),
    ...ranges('not sent', summary.not_sent_ranges),
    ...(summary.ended_early === null ? [] : [colors.red(`ended early: ${summary.ended_early}`)]),
    ...links(summary),
  ].join('\n');
}

function totals(summary: SendSummary): string[] {
  const { shift } = summary;
  const cells: [string, string][] = [
    ['read', count(summary.read)],
    ['accepted', count(summary.accepted)],
    ['rejected', count(summary.rejected)],
    ...(summary.in_doubt > 0 ? [['in doubt', count(summary.in_doubt)] as [string, string]] : []),
    ...(summary.not_sent > 0 ? [['not sent', count(summary.not_sent)] as [string, string]] : []),
    ['took', `${summary.elapsed_s.toFixed(1)} s, ${count(summary.accepted_per_s)} accepted/s`],
    ...(summary.retries > 0
      ? [['sent again', `${count(summary.retries)} requests`] as [string, string]]
      : []),
    ...(shift === null
      ? []
      : [
          [
            'times',
            `moved by ${duration(shift.ms)}; newest was ${shift.newest}, line ${shift.newest_line}`,
          ] as [string, string],
        ]),
  ];
  return cells.map(([name, value]) => `${colors.bold(name.padEnd(10))} ${value}`);
}

function reasons(counts: readonly ReasonCount[]): string[] {
  return counts.flatMap(({ by, reason, count: times, lines, detail }) => [
    `  ${count(times).padStart(10)}  ${colors.yellow(reason)} ${colors.dim(`(${by === 'collector' ? 'collector' : 'here'})`)}${lines.length === 0 ? '' : `  line${lines.length === 1 ? '' : 's'} ${lines.join(', ')}${times > lines.length ? ', …' : ''}`}`,
    `              ${colors.dim(detail)}`,
  ]);
}

function ranges(title: string, list: readonly LineRange[]): string[] {
  const shown = list
    .slice(0, RANGES_SHOWN_MAX)
    .map(
      ({ from, to, records, why }) =>
        `  ${title}: ${count(records)} records of lines ${from} to ${to}: ${why}`,
    );
  return list.length > shown.length ? [...shown, `  ${title}: and more, see --json`] : shown;
}

function links({ applications }: SendSummary): string[] {
  const lines = applications
    .slice(0, APPLICATIONS_SHOWN_MAX)
    .map(
      ({ sdk_app_id: id, sent, link }) => `  ${colors.cyan(link)}  ${count(sent)} sent of application ${id}`,
    );
  if (applications.length > lines.length)
    lines.push(`  and ${applications.length - lines.length} more applications`);
  return lines.length === 0 ? [] : ['look at it:', ...lines];
}

/** `+3 d 4 h`, `-12 s` */
function duration(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  const parts = [
    { unit: 'd', value: Math.floor(seconds / 86_400) },
    { unit: 'h', value: Math.floor(seconds / 3_600) % 24 },
    { unit: 'min', value: Math.floor(seconds / 60) % 60 },
    { unit: 's', value: seconds % 60 },
  ].filter(({ value }) => value > 0);
  return `${ms < 0 ? '-' : '+'}${parts.map(({ unit, value }) => `${value} ${unit}`).join(' ') || '0 s'}`;
}
