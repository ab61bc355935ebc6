/*
 * `monitor`: how well does an application do, which interface or region does badly, and was it so a day ago? Read from
 * the metrics alone: every request counts, sampled or not. Where the logs hold requests that the metrics lack, the
 * answer says how many, by step, so that a gap in the metrics is not read as a lack of traffic.
 */
import { describeCode } from '@imscope/schemas/codes/catalogue.js';
import type { DayBefore, Monitor, MonitorCode } from '@imscope/schemas/query-api/monitor.js';
import { ratedTogether } from '../completeness/verdict.js';
import type { Ask } from '../store/ask-store.js';
import { type Filter, filterOf, filterOver } from '../figures/filter.js';
import {
  askMetrics,
  askMissing,
  type CodeCounts,
  type Day,
  type DayMetrics,
  INTERFACES_MAX,
  type ListRow,
  type Missing,
  type MostUsed,
  REGIONS_MAX,
} from './monitor-figures.js';
import { addUp, type Performance, performanceOf } from '../figures/sums.js';
import { firstKeptMs, partsOf, shareOf, type Sources } from '../figures/source.js';
import {
  countSteps,
  DAY_MS,
  resolveMonitorStep,
  resolveMonitorWindow,
  stepsOf,
  timeText,
  type TimeWindow,
  windowSeconds,
} from '../figures/time-window.js';
import { withMissing } from '../completeness/completeness.js';
import { type AnswerBounds, MIB } from '../store/answer-bounds.js';
import type { Subject } from '../figures/subject.js';
import { requestQuestion } from './question.js';
import { TIMESERIES_BOUNDS } from './timeseries.js';

const CODES_MAX = 50;
const INTERFACE_CODES_MAX = 3;

/** As `timeseries`, with interfaces, regions and codes, and the same for the day before without histograms. */
const BOUNDS: AnswerBounds = {
  ...TIMESERIES_BOUNDS,
  // The steps of both days. Their interfaces and regions are fewer: 1,100 a day.
  rowsMax: 2 * TIMESERIES_BOUNDS.pointsMax,
  bytes: 8 * MIB,
};

export const monitor = requestQuestion('monitor', {
  bounds: BOUNDS,
  source: 'metrics',
  rated: (data) => ({ ...ratedTogether([data]), requestsBefore: data.day_before?.requests }),
  plan: ({ subject, query, nowMs, pointsMax }) => {
    const window = resolveMonitorWindow(query, nowMs, firstKeptMs(nowMs));
    const stepMs = resolveMonitorStep(query.step, window, pointsMax);
    const filter = filterOf(subject, window, query);
    return { window, stepMs, points: countSteps(window, stepMs), filter, metricsCan: true };
  },
  answer: async (input) => {
    const { now, before } = await readDays(input);
    return { data: monitorOf(now, before, input.plan.stepMs), loggedShare: now.loggedShare };
  },
  assess: withMissing,
});

function monitorOf(now: WindowFigures, before: WindowFigures | null, stepMs: number): Monitor {
  const performance = totalOf(now);
  const codes = sumCodes([...now.interfaces.rows.values()].map((row) => row.codes));
  const interfaces = compare(now, before, 'interfaces', INTERFACES_MAX);
  const regions = compare(now, before, 'regions', REGIONS_MAX);
  return {
    ...performance,
    missing: now.missing.total,
    day_before: before && {
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
    regions: regions.listed.map(([name, figures]) => ({ region: name, ...figures })),
    regions_left_out: regions.leftOut,
  };
}

/** The window a day earlier, as far as it is kept; null where no metrics of it are. */
function dayBefore(window: TimeWindow, nowMs: number): TimeWindow | null {
  const fromMs = Math.max(window.fromMs - DAY_MS, firstKeptMs(nowMs));
  const toMs = window.toMs - DAY_MS;
  return fromMs < toMs ? { fromMs, toMs } : null;
}

type WindowFigures = DayMetrics & {
  readonly window: TimeWindow;
  readonly missing: Missing;
  readonly loggedShare: number | null;
};

type ReadInput = {
  readonly ask: Ask;
  readonly sources: Pick<Sources, 'coverage' | 'builtHours'>;
  readonly subject: Subject;
  readonly window: TimeWindow;
  readonly nowMs: number;
  readonly plan: { readonly filter: Filter; readonly stepMs: number };
  readonly signal: AbortSignal;
};

/** The metrics of both days are asked for together; what they lack, for each. */
async function readDays(
  input: ReadInput,
): Promise<{ readonly now: WindowFigures; readonly before: WindowFigures | null }> {
  const { ask, sources, subject, window, nowMs, plan, signal } = input;
  const before = dayBefore(window, nowMs);
  const rollup = await sources.builtHours(subject, nowMs);
  const asked = askMetrics(ask, { ...plan, window, dayBefore: before, rollup }, signal);
  const [now, earlier] = await Promise.all([
    readWindow(input, window, asked, 'today'),
    before && readWindow(input, before, asked, 'day_before'),
  ]);
  return { now, before: earlier };
}

async function readWindow(
  { ask, sources, subject, nowMs, plan, signal }: ReadInput,
  window: TimeWindow,
  asked: Promise<Readonly<Record<Day, DayMetrics>>>,
  day: Day,
): Promise<WindowFigures> {
  const parts = partsOf(window, nowMs);
  if (parts === null) throw new Error('a window without a whole minute was not refused');
  const [coverage, { [day]: metrics }] = await Promise.all([sources.coverage(subject, parts, nowMs), asked]);
  // Logs are summed by step only from where they hold more than the metrics: summing all would cost what metrics save.
  const lacking = [
    { fromMs: parts.fromMs, missing: coverage.settledMissing },
    { fromMs: parts.settledToMs, missing: coverage.writtenMissing },
    { fromMs: parts.writtenToMs, missing: coverage.freshMissing },
  ].find((part) => part.missing > 0);
  const query = { window, filter: filterOver(plan.filter, window), stepMs: plan.stepMs };
  const missing = await askMissing(ask, query, metrics.steps, lacking?.fromMs ?? window.toMs, signal);
  return { ...metrics, window, missing, loggedShare: shareOf(coverage.rows, coverage.weight) };
}

function totalOf({ window, steps }: WindowFigures): Performance {
  return performanceOf(addUp([...steps.values()]), windowSeconds(window));
}

function withoutPercentiles({ latency_ms: { avg, max }, ...figures }: Performance): DayBefore {
  return { ...figures, latency_ms: { avg, max } };
}

function stepPoints(now: WindowFigures, before: WindowFigures | null, stepMs: number): Monitor['steps'] {
  const pointsOf = (figures: WindowFigures) =>
    stepsOf(figures.window, stepMs).map(({ startMs, seconds }) => ({
      startMs,
      performance: performanceOf(figures.steps.get(startMs), seconds),
      missing: figures.missing.byStep.get(startMs) ?? 0,
    }));
  const beforeAt = new Map(
    (before === null ? [] : pointsOf(before)).map((point) => [point.startMs + DAY_MS, point]),
  );
  return pointsOf(now).map(({ startMs, performance, missing }) => {
    const earlier = beforeAt.get(startMs);
    return {
      time: timeText(startMs),
      ...performance,
      missing,
      day_before:
        earlier === undefined
          ? null
          : { ...withoutPercentiles(earlier.performance), missing: earlier.missing },
    };
  });
}

type Compared = {
  readonly listed: [name: string, figures: Performance & { day_before: DayBefore | null }][];
  /** A lower bound: entries that both days left out cannot be matched by name. */
  readonly leftOut: number;
};

/** The names of both days, most used first: a name without requests today has zeros. */
function compare(
  now: WindowFigures,
  before: WindowFigures | null,
  by: 'interfaces' | 'regions',
  max: number,
): Compared {
  const { rows, leftOut }: MostUsed<ListRow> = now[by];
  const beforeRows: ReadonlyMap<string, ListRow> = before?.[by].rows ?? new Map();
  const names = new Set([...rows.keys(), ...beforeRows.keys()]);
  const listed = [...names].slice(0, max).map((name): Compared['listed'][number] => {
    const beforeRow = beforeRows.get(name);
    // Where the list of the day before is full, a name that is not in it may have been left out.
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
