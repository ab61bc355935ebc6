/*
 * `exceptions`: what goes wrong for an application, where, since when and why? Every request that we failed
 * (service_error), and every other that carries an exception, grouped by exception, interface and code.
 */
import { describeCode } from '@imscope/schemas/codes/catalogue.js';
import { Type } from 'typebox';
import { type AnswerBounds, FLAT_ROWS, MIB } from '../store/answer-bounds.js';
import { defineStoreQuery } from '../store/ask-store.js';
import { CODE, OUTCOME } from '../figures/code-counts.js';
import { leftOut } from '../figures/left-out.js';
import { timeText } from '../figures/time-window.js';
import { planWindow } from '../figures/plan.js';
import { requestQuestion } from './question.js';

/** Service errors are listed before others, the most frequent of each; the answer says how many are left out. */
const GROUPS_MAX = 200;
const CAUSES_MAX = 3;

const QUERY = defineStoreQuery(
  'exceptions',
  Type.Object({
    exception: Type.String(),
    interface: Type.String(),
    code: CODE,
    outcome: OUTCOME,
    requests: Type.Number(),
    first_seen_ms: Type.Number(),
    last_seen_ms: Type.Number(),
    nodes: Type.Number(),
    regions: Type.Number(),
    /** Negative counts, so that the least are the most frequent. */
    causes: Type.Array(Type.Tuple([Type.Number(), Type.String()])),
    sample_request_id: Type.String(),
    total: Type.Number(),
  }),
);

const sqlOf = (filter: string): string => `
SELECT * FROM (
SELECT
  exception, interface, code, outcome,
  sum(c_requests) AS requests,
  min(c_first_seen_ms) AS first_seen_ms,
  max(c_last_seen_ms) AS last_seen_ms,
  uniqExactArray(c_nodes) AS nodes,
  uniqExactArray(c_regions) AS regions,
  groupArraySortedIf(${CAUSES_MAX})((-toInt64(c_requests), cause), cause != '') AS causes,
  argMaxIf(c_request_id, c_last_seen_ms, c_request_id != '') AS sample_request_id,
  count() OVER () AS total
FROM (
  SELECT
    exception, interface, code, outcome, cause,
    sum(weight) AS c_requests,
    toUnixTimestamp64Milli(min(time)) AS c_first_seen_ms,
    toUnixTimestamp64Milli(max(time)) AS c_last_seen_ms,
    groupUniqArrayIf(node, node != '') AS c_nodes,
    groupUniqArrayIf(region, region != '') AS c_regions,
    argMaxIf(request_id, time, request_id != '') AS c_request_id
  FROM request_log_kept
  WHERE (outcome = 'service_error' OR exception != '') AND ${filter}
  GROUP BY exception, interface, code, outcome, cause
)
GROUP BY exception, interface, code, outcome
ORDER BY outcome != 'service_error', requests DESC, exception, interface, code, outcome
LIMIT ${GROUPS_MAX}
)
ORDER BY requests DESC, exception, interface, code, outcome`;

/** 200 groups with three causes of 2,048 characters each. */
const BOUNDS: AnswerBounds = {
  pointsMax: 0,
  rowsMax: 1_000,
  bytes: 8 * MIB,
  bytesPerPoint: 0,
  memoryPerByte: FLAT_ROWS,
};

/** Most frequent first. */
export const exceptions = requestQuestion('exceptions', {
  bounds: BOUNDS,
  source: 'logs',
  plan: planWindow,
  answer: async ({ ask, plan: { filter }, signal }) => {
    const rows = await ask(QUERY, sqlOf(filter.sql), filter.params, signal);
    const data = rows.map((row) => {
      const { name, advice } = describeCode(row.code);
      return {
        exception: row.exception,
        interface: row.interface,
        code: row.code,
        outcome: row.outcome,
        count: row.requests,
        first_seen: timeText(row.first_seen_ms),
        last_seen: timeText(row.last_seen_ms),
        nodes: row.nodes,
        regions: row.regions,
        causes: row.causes.map(([count, cause]) => ({ cause, count: -count })),
        name,
        advice,
        sample_request_id: row.sample_request_id,
      };
    });
    return { data, leftOut: leftOut(rows) };
  },
});
