/*
 * `versions`: which client platforms and SDK versions use an application, and does one do worse than the others? Only
 * the logs hold platform and version.
 */
import { Type } from 'typebox';
import { ratedTogether } from '../completeness/verdict.js';
import { leftOut } from '../figures/left-out.js';
import { type Grouping, performanceQuery } from '../figures/performance.js';
import { PERFORMANCE_ROW, performanceOf } from '../figures/sums.js';
import { planWindow } from '../figures/plan.js';
import { windowSeconds } from '../figures/time-window.js';
import { type AnswerBounds, HISTOGRAM_ROWS, MIB } from '../store/answer-bounds.js';
import { defineStoreQuery } from '../store/ask-store.js';
import { requestQuestion } from './question.js';

/** The most used are listed; the answer says how many are left out. */
const VERSIONS_MAX = 200;

/** 200 rows with a histogram of 16 KiB at most. */
const BOUNDS: AnswerBounds = {
  pointsMax: 0,
  rowsMax: VERSIONS_MAX,
  bytes: 4 * MIB,
  bytesPerPoint: 0,
  memoryPerByte: HISTOGRAM_ROWS,
};

const QUERY = defineStoreQuery(
  'versions',
  Type.Object({
    platform: Type.String(),
    sdk_version: Type.String(),
    ...PERFORMANCE_ROW,
    total: Type.Number(),
    all_requests: Type.Number(),
  }),
);

const GROUPING: Grouping = {
  key: 'platform, sdk_version',
  logs: ['platform', 'sdk_version'],
  metrics: [],
  outer: [
    'platform',
    'sdk_version',
    'count() OVER () AS total',
    'sum(sum(b_requests)) OVER () AS all_requests',
  ],
};

export const versions = requestQuestion('versions', {
  bounds: BOUNDS,
  source: 'logs_or_metrics',
  rated: ratedTogether,
  plan: (input) => ({ ...planWindow(input), metricsCan: false }),
  answer: async ({ ask, window, spanOf, signal }) => {
    const { filter } = await spanOf(window);
    const { sql, params } = performanceQuery(GROUPING, filter, window, null);
    const listedSql = `${sql}\nORDER BY requests DESC, platform, sdk_version\nLIMIT ${VERSIONS_MAX}`;
    const rows = await ask(QUERY, listedSql, params, signal);
    const data = rows.map((row) => ({
      platform: row.platform,
      sdk_version: row.sdk_version,
      ...performanceOf(row, windowSeconds(window)),
      share: row.requests / row.all_requests,
    }));
    return { data, leftOut: leftOut(rows) };
  },
});
