/*
 * `monitor`: how well does an application do, which interface or region does not, and was that so a day ago? Out of
 * the metrics alone: every request counts, sampled or not. Where the logs have requests that the metrics lack,
 * the answer says how many, by step, so that a gap in the metrics never reads as silence.
 */
import { describeCode } from '@imscope/schemas/codes/catalogue.js';
import type { DayBefore, Monitor, MonitorCode } from '@imscope/schemas/query-api/monitor.js';
import type { QueryOf } from '@imscope/schemas/query-api/questions.js';
import type { Ask } from '../store/ask-store.js';
import { filterOf } from '../figures/filter.js';
import {
  askMetrics,
  askMissing,
  type CodeCounts,
  type Detail,
  INTERFACES_MAX,
  type InterfaceRow,
  type MetricQuestion,
  type Missing,
  type MostUsed,
  REGIONS_MAX,
  type StepRow,
} from './monitor-figures.js';
import { addUp, type Performance, performanceOf, type PerformanceRow } from '../figures/performance.js';
import { firstKeptMs, partsOf, shareOf, type Sources } from '../figures/source.js';
import { DAY_MS, stepsOf, timeText, type TimeWindow, windowSeconds } from '../figures/time-window.js';

const CODES_MAX = 50;
const INTERFACE_CODES_MAX = 3;

export type MonitorAnswer = { readonly data: Monitor; readonly loggedShare: number | null };

export type MonitorAsked = {
  readonly sdkAppId: number;
  /** Whole minutes within the term, of `resolveMonitorWindow`. */
  readonly window: TimeWindow;
  readonly query: Pick<QueryOf<'monitor'>, 'interface' | 'region'>;
  /** Divides a day. */
  readonly stepMs: number;
  readonly nowMs: number;
};

export async function askMonitor(
  ask: Ask,
  sources: Pick<Sources, 'coverage'>,
  asked: MonitorAsked,
  signal?: AbortSignal,
): Promise<MonitorAnswer> {
  const { window, nowMs, stepMs } = asked;
  const look = (span: TimeWindow, detail: Detail) => lookAt(ask, sources, asked, span, detail, signal);
  const beforeWindow = dayBefore(window, nowMs);
  const [now, before] = await Promise.all([
    look(window, 'all'),
    beforeWindow === null ? null : look(beforeWindow, 'sums'),
  ]);
  const performance = totalOf(now);
  const codes = sumCodes([...now.interfaces.rows.values()].map((row) => row.codes));
  const interfaces = compare(now, before, 'interfaces', INTERFACES_MAX);
  const regions = compare(now, before, 'regions', REGIONS_MAX);
  const data: Monitor = {
    ...performance,
    missing: now.missing.total,
    day_before:
      before === null
        ? null
        : {
            from: timeText(before.window.fromMs),
            to: timeText(before.window.toMs),
            ...withoutPercentiles(totalOf(before)),
            missing: before.missing.total,
          },
    ...codesOf(codes, performance.requests, CODES_MAX),
    steps: stepPoints(now, before, stepMs),
    interfaces: interfaces.listed.map(([name, figures]) => ({
      interface: name,
      ...figures,
      ...codesOf(now.interfaces.rows.get(name)?.codes ?? {}, figures.requests, INTERFACE_CODES_MAX),
    })),
    interfaces_left_out: interfaces.leftOut,
    regions: regions.listed.map(([name, figures]) => ({
      region: name,
      ...figures,
    })),
    regions_left_out: regions.leftOut,
  };
  return { data, loggedShare: now.loggedShare };
}

/** The window a day earlier, as far as it is kept; null where nothing of it is. */
export function dayBefore(window: TimeWindow, nowMs: number): TimeWindow | null {
  const fromMs = Math.max(window.fromMs - DAY_MS, firstKeptMs(nowMs));
  const toMs = window.toMs - DAY_MS;
  return fromMs < toMs ? { fromMs, toMs } : null;
}

/** All that is known of one window. */
type Look = {
  readonly window: TimeWindow;
  /** By the beginning of the step, milliseconds. */
  readonly steps: ReadonlyMap<number, StepRow>;
  readonly interfaces: MostUsed<InterfaceRow>;
  readonly regions: MostUsed<PerformanceRow>;
  readonly missing: Missing;
  readonly loggedShare: number | null;
};

async function lookAt(
  ask: Ask,
  sources: Pick<Sources, 'coverage'>,
  { sdkAppId, query, stepMs, nowMs }: MonitorAsked,
  window: TimeWindow,
  detail: Detail,
  signal?: AbortSignal,
): Promise<Look> {
  const question: MetricQuestion = { window, filter: filterOf(sdkAppId, window, query), stepMs };
  const parts = partsOf(window, nowMs);
  if (parts === null) throw new Error('a window without a whole minute was not refused');
  const [coverage, { steps, interfaces, regions }] = await Promise.all([
    sources.coverage(sdkAppId, parts, nowMs),
    askMetrics(ask, question, detail, signal),
  ]);
  // The logs are summed by step only from where they have more: that costs what metrics save.
  const lacking = [
    { fromMs: parts.fromMs, missing: coverage.settledMissing },
    { fromMs: parts.settledToMs, missing: coverage.writtenMissing },
    { fromMs: parts.writtenToMs, missing: coverage.freshMissing },
  ].find(({ missing }) => missing > 0);
  const missing = await askMissing(ask, question, steps, lacking?.fromMs ?? window.toMs, signal);
  const loggedShare = shareOf(coverage.rows, coverage.weight);
  return { window, steps, interfaces, regions, missing, loggedShare };
}

function totalOf({ window, steps }: Look): Performance {
  return performanceOf(addUp([...steps.values()]), windowSeconds(window));
}

function withoutPercentiles({ latency_ms: { avg, max }, ...figures }: Performance): DayBefore {
  return { ...figures, latency_ms: { avg, max } };
}

function stepPoints(now: Look, before: Look | null, stepMs: number): Monitor['steps'] {
  const pointsOf = (look: Look) =>
    stepsOf(look.window, stepMs).map(({ startMs, seconds }) => ({
      startMs,
      figures: performanceOf(look.steps.get(startMs), seconds),
      missing: look.missing.byStep.get(startMs) ?? 0,
    }));
  const beforeAt = new Map(
    (before === null ? [] : pointsOf(before)).map((point) => [point.startMs + DAY_MS, point]),
  );
  return pointsOf(now).map(({ startMs, figures, missing }) => {
    const earlier = beforeAt.get(startMs);
    return {
      time: timeText(startMs),
      ...figures,
      missing,
      day_before:
        earlier === undefined ? null : { ...withoutPercentiles(earlier.figures), missing: earlier.missing },
    };
  });
}

type Compared = {
  readonly listed: [name: string, figures: Performance & { day_before: DayBefore | null }][];
  /** At least so many: what both days left out cannot be told apart. */
  readonly leftOut: number;
};

/** What was there on either day, most used first: what has fallen silent shows with zero requests. */
function compare(now: Look, before: Look | null, by: 'interfaces' | 'regions', max: number): Compared {
  const { rows, leftOut }: MostUsed<PerformanceRow> = now[by];
  const beforeRows: ReadonlyMap<string, PerformanceRow> = before?.[by].rows ?? new Map();
  const names = new Set([...rows.keys(), ...beforeRows.keys()]);
  const listed = [...names].slice(0, max).map((name): Compared['listed'][number] => {
    const beforeRow = beforeRows.get(name);
    // Where the list of the day before is full, what is not in it may have been cut off.
    const unknown = before === null || (beforeRow === undefined && beforeRows.size >= max);
    const figures = performanceOf(rows.get(name), windowSeconds(now.window));
    const earlier = unknown ? null : performanceOf(beforeRow, windowSeconds(before.window));
    return [name, { ...figures, day_before: earlier && withoutPercentiles(earlier) }];
  });
  const silent = Math.max(0, names.size - max);
  return { listed, leftOut: Math.max(leftOut, silent) };
}

function sumCodes(counts: readonly CodeCounts[]): CodeCounts {
  const sums = new Map<string, number>();
  for (const one of counts) {
    for (const [code, count] of Object.entries(one)) sums.set(code, (sums.get(code) ?? 0) + count);
  }
  return Object.fromEntries(sums);
}

/** Most frequent first, code 0 left out. @param total requests the share is of */
function codesOf(
  counts: CodeCounts,
  total: number,
  max: number,
): { codes: MonitorCode[]; codes_left_out: number } {
  const sorted = Object.entries(counts)
    .filter(([code]) => code !== '0')
    .toSorted(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1));
  const codes = sorted
    .slice(0, max)
    .map(([code, count]) => ({ ...describe(code), count, share: total === 0 ? 0 : count / total }));
  return { codes, codes_left_out: sorted.length - codes.length };
}

function describe(code: string): Pick<MonitorCode, 'code' | 'name' | 'meaning' | 'advice'> {
  if (code === 'other') {
    return {
      code,
      name: 'other',
      meaning: 'Codes beyond the first 20 of a minute, counted together.',
      advice: 'overview lists each code out of the logs.',
    };
  }
  const described = describeCode(code === 'none' ? null : Number(code));
  const { name, meaning, advice } = described;
  return { code: described.code, name, meaning, advice };
}
