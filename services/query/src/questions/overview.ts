/*
 * `overview`: how does an application do now, against the span just before, and which codes does it get?
 */
import { type Static, Type } from 'typebox';
import { ratedTogether } from '../completeness/verdict.js';
import { type AnswerBounds, HISTOGRAM_ROWS, MIB } from '../store/answer-bounds.js';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import { CODE, codeCountOf, OUTCOME } from '../figures/code-counts.js';
import { codeSumsQuery } from '../figures/code-sums.js';
import { leftOut } from '../figures/left-out.js';
import { areComparable, comparedQuery } from '../figures/compared-spans.js';
import { type Grouping, performanceQuery } from '../figures/performance.js';
import { PERFORMANCE_ROW, performanceOf, type PerformanceRow } from '../figures/sums.js';
import { windowSeconds } from '../figures/time-window.js';
import { planCompared, type Span } from '../figures/plan.js';
import { requestQuestion } from './question.js';

const Row = Type.Object({ interfaces: Type.Number(), ...PERFORMANCE_ROW });
type Row = Static<typeof Row>;
const PERFORMANCE = defineStoreQuery('overview', Row);
const PREVIOUS = defineStoreQuery('overview_previous', Type.Object(PERFORMANCE_ROW));
const BOTH = defineStoreQuery(
  'overview_both',
  Type.Object({ interfaces: Type.Number(), is_before: Type.Number(), ...PERFORMANCE_ROW }),
);

/** The names of interfaces cost as much as all sums of a pass over the logs, so the span before is summed without them. */
const SUMS_ONLY: Grouping = {
  key: undefined,
  logs: [],
  metrics: [],
  rollup: { needs: 'application', columns: [] },
  outer: [],
};

/** Interfaces are counted by a number: names take three times as long. */
const HASH_SQL = (name: string): string => `cityHash64(${name})`;

const WITH_INTERFACES: Grouping = {
  key: undefined,
  logs: [`groupUniqArray(${HASH_SQL('interface')}) AS b_interfaces`],
  metrics: [`groupUniqArray(${HASH_SQL('m.interface')}) AS b_interfaces`],
  rollup: {
    needs: 'application',
    columns: [`groupUniqArrayArray(arrayMap(name -> ${HASH_SQL('name')}, m.interfaces)) AS b_interfaces`],
    interfaceColumns: [`groupUniqArray(${HASH_SQL('m.interface')}) AS b_interfaces`],
  },
  outer: ['uniqExactArray(b_interfaces) AS interfaces'],
};

/** The most frequent are listed; the answer says how many are left out. */
const CODES_MAX = 50;
const CODES = defineStoreQuery(
  'overview_codes',
  Type.Object({ code: CODE, outcome: OUTCOME, requests: Type.Number(), total: Type.Number() }),
);

const codesSql = (sums: string): string => `
SELECT code, outcome, sum(weight) AS requests, count() OVER () AS total
FROM (
  ${sums}
)
WHERE code != 0 OR code IS NULL
GROUP BY code, outcome
ORDER BY requests DESC, code, outcome
LIMIT ${CODES_MAX}`;

/** Two sums with histograms, and codes. */
const BOUNDS: AnswerBounds = {
  pointsMax: 0,
  rowsMax: 1_000,
  bytes: MIB,
  bytesPerPoint: 0,
  memoryPerByte: HISTOGRAM_ROWS,
};

/** Codes come from the logs in any case: metrics do not count them by outcome. */
export const overview = requestQuestion('overview', {
  bounds: BOUNDS,
  source: 'logs_or_metrics',
  rated: (data) => ({ ...ratedTogether([data]), requestsBefore: data.previous.requests }),
  plan: planCompared,
  answer: async ({ ask, plan, spanOf, signal }) => {
    const [current, previous] = await Promise.all([spanOf(plan.window), spanOf(plan.compared)]);
    const codeSums = codeSumsQuery(current);
    const [{ now, before }, codes] = await Promise.all([
      askBoth(ask, current, previous, signal),
      ask(CODES, codesSql(codeSums.sql), codeSums.params, signal),
    ]);
    const data = {
      ...performanceOf(now, windowSeconds(current.window)),
      interfaces: now?.interfaces ?? 0,
      previous: performanceOf(before, windowSeconds(previous.window)),
      codes: codes.map((row) => codeCountOf(row, now?.requests ?? 0)),
      codes_left_out: leftOut(codes),
    };
    return { data };
  },
});

async function askBoth(
  ask: Ask,
  current: Span,
  previous: Span,
  signal: AbortSignal,
): Promise<{ now: Row | undefined; before: PerformanceRow | undefined }> {
  if (areComparable(current, previous)) {
    const { sql, params } = comparedQuery(WITH_INTERFACES, current, previous);
    const rows = await ask(BOTH, sql, params, signal);
    const of = (isBefore: number) => rows.find((row) => row.is_before === isBefore);
    return { now: of(0), before: of(1) };
  }
  const sums = sumsOf(WITH_INTERFACES, current);
  const sumsBefore = sumsOf(SUMS_ONLY, previous);
  const [[now], [before]] = await Promise.all([
    ask(PERFORMANCE, sums.sql, sums.params, signal),
    ask(PREVIOUS, sumsBefore.sql, sumsBefore.params, signal),
  ]);
  return { now, before };
}

function sumsOf(grouping: Grouping, { filter, window, metrics }: Span) {
  return performanceQuery(grouping, filter, window, metrics);
}
