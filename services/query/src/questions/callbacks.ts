/*
 * `callbacks`: how well does an application's own server answer the callbacks of gateways? Read from the metrics of the
 * interfaces `callback/<event>` alone, so every callback counts, sampled or not.
 */
import { CALLBACK_INTERFACE_PREFIX, callbackEvent } from '@imscope/schemas/callback-interface.js';
import { Type } from 'typebox';
import { filterOf } from '../figures/filter.js';
import { leftOut } from '../figures/left-out.js';
import { type Grouping, performanceQuery } from '../figures/performance.js';
import { addUp, PERFORMANCE_ROW, performanceOf } from '../figures/sums.js';
import { firstKeptMs } from '../figures/source.js';
import { resolveMonitorWindow, windowSeconds } from '../figures/time-window.js';
import { type AnswerBounds, HISTOGRAM_ROWS, MIB } from '../store/answer-bounds.js';
import { defineStoreQuery } from '../store/ask-store.js';
import { requestQuestion } from './question.js';

/** The most frequent are listed; the answer says how many are left out. As many as a configuration may name. */
const EVENTS_MAX = 200;
/** Beyond so many names the rarest are not in the sums. A collector names 500 interfaces of an application by default. */
const ROWS_MAX = 2_000;

/** 2,000 rows with a histogram of 16 KiB at most, of which most have a few buckets. */
const BOUNDS: AnswerBounds = {
  pointsMax: 0,
  rowsMax: ROWS_MAX,
  bytes: 4 * MIB,
  bytesPerPoint: 0,
  memoryPerByte: HISTOGRAM_ROWS,
};

const QUERY = defineStoreQuery(
  'callbacks',
  Type.Object({ interface: Type.String(), ...PERFORMANCE_ROW, total: Type.Number() }),
);

const GROUPING: Grouping = {
  key: 'interface',
  logs: [],
  metrics: ['m.interface AS interface'],
  outer: ['interface', 'count() OVER () AS total'],
};

const CALLBACKS_SQL = 'startsWith(m.interface, {callback_prefix:String})';

export const callbacks = requestQuestion('callbacks', {
  bounds: BOUNDS,
  source: 'metrics',
  plan: ({ subject, query, nowMs }) => {
    const window = resolveMonitorWindow(query, nowMs, firstKeptMs(nowMs));
    return { window, stepMs: null, points: 0, filter: filterOf(subject, window, {}), metricsCan: true };
  },
  answer: async ({ ask, plan, window, signal }) => {
    const metricSql = `${plan.filter.metricSql}\n  AND ${CALLBACKS_SQL}`;
    const { sql, params } = performanceQuery(GROUPING, { ...plan.filter, metricSql }, window, window);
    const listedSql = `${sql}\nORDER BY requests DESC, interface\nLIMIT ${ROWS_MAX}`;
    const bound = { ...params, callback_prefix: CALLBACK_INTERFACE_PREFIX };
    const rows = await ask(QUERY, listedSql, bound, signal);
    const seconds = windowSeconds(window);
    const listed = rows.slice(0, EVENTS_MAX);
    const data = {
      ...performanceOf(addUp(rows), seconds),
      events: listed.map((row) => ({
        event: callbackEvent(row.interface) ?? row.interface,
        ...performanceOf(row, seconds),
      })),
      events_left_out: leftOut(rows) + rows.length - listed.length,
    };
    return { data };
  },
});
