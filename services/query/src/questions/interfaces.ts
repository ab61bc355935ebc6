/*
 * `interfaces`: which interfaces of an application are used, how well does each do, and with which code does it fail?
 */
import { LIMIT_WARNED_FROM } from '@imscope/schemas/published-limits.js';
import type { InterfaceRow } from '@imscope/schemas/query-api/interfaces.js';
import { isInTrouble, tierOf, worstFirstSql } from '@imscope/schemas/health.js';
import { type Static, Type } from 'typebox';
import { ratedTogether } from '../completeness/verdict.js';
import { type AnswerBounds, HISTOGRAM_ROWS, MIB } from '../store/answer-bounds.js';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import { CODE, codeCountOf, OUTCOME } from '../figures/code-counts.js';
import { codeSumsQuery } from '../figures/code-sums.js';
import { leftOut } from '../figures/left-out.js';
import { changesOf } from '../figures/changes.js';
import { areComparable, comparedQuery } from '../figures/compared-spans.js';
import type { InterfaceSettings } from '../figures/interface-settings.js';
import { type Grouping, performanceQuery } from '../figures/performance.js';
import { PERFORMANCE_ROW, performanceOf, SUMS, type Sums } from '../figures/sums.js';
import type { Subject } from '../figures/subject.js';
import { askPeaks, type Peaks } from './interface-peaks.js';
import { timeText, windowSeconds } from '../figures/time-window.js';
import { planCompared, type Span } from '../figures/plan.js';
import { requestQuestion } from './question.js';

/** The first in the order of schemas/src/health.ts are listed; the answer says how many are left out. */
const INTERFACES_MAX = 1_000;

const ROW = {
  interface: Type.String(),
  last_seen_ms: Type.Number(),
  ...PERFORMANCE_ROW,
  total: Type.Number(),
};
const Row = Type.Object(ROW);
type Row = Static<typeof Row>;
const PERFORMANCE = defineStoreQuery('interfaces', Row);
const BOTH = defineStoreQuery('interfaces_both', Type.Object({ ...ROW, is_before: Type.Number() }));

const COLUMNS = { requests: 'requests', success: 'success', serviceErrors: 'service_error' };

const GROUPING: Grouping = {
  key: 'name',
  logHash: 'cityHash64(interface)',
  logs: ['any(interface) AS name', 'toUnixTimestamp64Milli(max(time)) AS b_last_seen_ms'],
  metrics: ['m.interface AS name', 'toUnixTimestamp64Milli(max(m.window_start)) AS b_last_seen_ms'],
  rollup: {
    needs: 'interface',
    columns: ['m.interface AS name', 'toUnixTimestamp64Milli(max(m.last_window)) AS b_last_seen_ms'],
  },
  outer: ['name AS interface', 'max(b_last_seen_ms) AS last_seen_ms', 'count() OVER () AS total'],
};

const listedSql = (performanceSql: string): string => `SELECT * FROM (${performanceSql}
ORDER BY ${worstFirstSql(COLUMNS)}, interface
LIMIT ${INTERFACES_MAX}
)
ORDER BY requests DESC, interface`;

/** The same of the window before as well: the rows of each are counted, ordered and cut apart. */
const WITH_BEFORE: Grouping = {
  ...GROUPING,
  outer: [
    'name AS interface',
    'max(b_last_seen_ms) AS last_seen_ms',
    'count() OVER (PARTITION BY is_before) AS total',
  ],
};

const bothSql = (
  comparedSql: string,
): string => `SELECT * REPLACE (if(is_before = 1, [], histogram) AS histogram)
FROM (${comparedSql}
ORDER BY ${worstFirstSql(COLUMNS)}, interface
LIMIT ${INTERFACES_MAX} BY is_before
)
ORDER BY requests DESC, interface`;

const TopCode = Type.Object({
  interface: Type.String(),
  code: CODE,
  outcome: OUTCOME,
  requests: Type.Number(),
});
const TOP_CODES = defineStoreQuery('interfaces_top_codes', TopCode);

/** Of each interface the most frequent service error and the most frequent code of the other failures. */
const topCodesSql = (sums: string): string => `
SELECT interface, code, outcome, sum(weight) AS requests
FROM (
  ${sums}
)
WHERE outcome != 'success'
GROUP BY interface, code, outcome
ORDER BY requests DESC, code, outcome
LIMIT 1 BY interface, outcome = 'service_error'`;

/** 1,000 interfaces with histograms; the most frequent codes of every interface. */
const BOUNDS: AnswerBounds = {
  pointsMax: 0,
  rowsMax: 200_000,
  bytes: 16 * MIB,
  bytesPerPoint: 0,
  memoryPerByte: HISTOGRAM_ROWS,
};

/**
 * Most used first; the share of a row's top code is of the interface's own requests. Where a row is failing or
 * degraded, its top code is that of its service errors. Top codes come from the logs in any case: metrics do not count
 * codes by outcome.
 */
export const interfaces = requestQuestion('interfaces', {
  bounds: BOUNDS,
  source: 'logs_or_metrics',
  rated: ratedTogether,
  plan: planCompared,
  answer: async ({ ask, plan, window, subject, spanOf, interfaceOf, signal }) => {
    const [span, previous] = await Promise.all([spanOf(window), spanOf(plan.compared)]);
    const codeSums = codeSumsQuery(span);
    const [{ rows, before }, topCodes, peaks] = await Promise.all([
      askBoth(ask, span, previous, signal),
      ask(TOP_CODES, topCodesSql(codeSums.sql), codeSums.params, signal),
      askPeaks(ask, span, signal),
    ]);
    const seconds = windowSeconds(window);
    const secondsBefore = windowSeconds(previous.window);
    const topCodesOf = Map.groupBy(topCodes, (row) => row.interface);
    const data = rows.map((row) => {
      const settings = interfaceOf(sdkAppIdOf(subject), row.interface);
      const topCode = topCodeOf(row, topCodesOf.get(row.interface) ?? []);
      return {
        interface: row.interface,
        ...performanceOf(row, seconds),
        top_code: topCode === undefined ? null : codeCountOf(topCode, row.requests),
        last_seen: timeText(row.last_seen_ms),
        waits: settings.waits,
        change:
          secondsBefore === 0
            ? null
            : changesOf({ ...row, seconds }, before.get(row.interface), secondsBefore, !settings.waits),
        load: loadOf(row.interface, peaks, settings),
      };
    });
    return { data, leftOut: leftOut(rows) };
  },
});

type NowAndBefore = { readonly rows: readonly Row[]; readonly before: ReadonlyMap<string, Sums> };

async function askBoth(ask: Ask, span: Span, previous: Span, signal: AbortSignal): Promise<NowAndBefore> {
  if (areComparable(span, previous)) {
    const { sql, params } = comparedQuery(WITH_BEFORE, span, previous);
    const found = await ask(BOTH, bothSql(sql), params, signal);
    const rows = found.filter(({ is_before: isBefore }) => isBefore === 0);
    const before = found.filter(({ is_before: isBefore }) => isBefore === 1);
    // Where the list of the window before is cut, an interface that is listed now may be missing there.
    if (leftOut(before) > 0) return { rows, before: await askBefore(ask, previous, signal) };
    return { rows, before: new Map(before.map((row) => [row.interface, row])) };
  }
  const { sql, params } = performanceQuery(GROUPING, span.filter, span.window, span.metrics);
  const [rows, before] = await Promise.all([
    ask(PERFORMANCE, listedSql(sql), params, signal),
    askBefore(ask, previous, signal),
  ]);
  return { rows, before };
}

const BEFORE = defineStoreQuery('interfaces_before', Type.Object({ interface: Type.String(), ...SUMS }));
const BY_INTERFACE: Grouping = {
  key: 'name',
  logHash: 'cityHash64(interface)',
  logs: ['any(interface) AS name'],
  metrics: ['m.interface AS name'],
  rollup: { needs: 'interface', columns: ['m.interface AS name'] },
  outer: ['name AS interface'],
};

async function askBefore(ask: Ask, span: Span, signal: AbortSignal): Promise<ReadonlyMap<string, Sums>> {
  if (span.window.fromMs === span.window.toMs) return new Map();
  const { filter, window, metrics } = span;
  const { sql, params } = performanceQuery(BY_INTERFACE, filter, window, metrics, 'counts');
  const rows = await ask(BEFORE, sql, params, signal);
  return new Map(rows.map((row) => [row.interface, row]));
}

function loadOf(
  name: string,
  { fromMs, seconds, byInterface }: Peaks,
  { limitPerS, isOwnLimit }: InterfaceSettings,
): InterfaceRow['load'] {
  const peak = byInterface.get(name);
  const share = peak === undefined || limitPerS === null ? null : peak.requestsPerS / limitPerS;
  return {
    peak_per_s: peak?.requestsPerS ?? null,
    peak_over_s: seconds,
    peak_at: peak === undefined ? null : timeText(peak.startMs),
    peak_since: timeText(fromMs),
    limit_per_s: limitPerS,
    is_own_limit: isOwnLimit,
    share_of_limit: share,
    is_near_limit: share !== null && share >= LIMIT_WARNED_FROM,
  };
}

function sdkAppIdOf(subject: Subject): number {
  if (subject.kind === 'application') return subject.sdkAppId;
  throw new Error('interfaces are asked of one application');
}

type TopCode = Static<typeof TopCode>;

/** A failing or degraded interface shows the code of its service errors, not of caller errors. */
function topCodeOf(
  row: { readonly success: number; readonly service_error: number },
  codes: readonly TopCode[],
): TopCode | undefined {
  const candidates = isInTrouble(tierOf(row))
    ? codes.filter(({ outcome }) => outcome === 'service_error')
    : codes;
  return candidates.toSorted((a, b) => b.requests - a.requests)[0];
}
