/*
 * Records that collectors refused, by application and reason. Each incarnation of a collector writes an account every
 * minute, cumulative since its start. What an incarnation refused in a window is its last account up to the end less
 * its last one up to the beginning. So the figures of neighbouring windows add up, a killed incarnation keeps what it
 * reported, and an account that came late or not at all moves records to the window of the next one. An account with a
 * missing chunk is ignored.
 */
import type { Refusals } from '@imscope/schemas/query-api/refusals.js';
import { describeRejectReason } from '@imscope/schemas/reject-reasons.js';
import { Type } from 'typebox';
import { type AnswerBounds, FLAT_ROWS, MIB } from '../store/answer-bounds.js';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import { spanParams } from '../figures/filter.js';
import { HOUR_MS, type TimeWindow } from '../figures/time-window.js';
import { type ReadScope, scopeSql } from '../figures/subject.js';

/** Pairs of application and reason in one answer, most records first; the others are counted. */
const REFUSALS_MAX = 2_000;
/** Accounts come every minute. An incarnation without one for longer before the window is counted from its first account within. */
const BEFORE_MS = HOUR_MS;

/** The accounts of one incarnation that bound a window. */
export type AccountBounds = {
  readonly collector: string;
  readonly boot: string;
  /** The incarnation began within the window. */
  readonly begins: boolean;
  /** Sequences; -1 where there is none. `before`: the last up to the beginning; `first` and `last`: within. */
  readonly before: number;
  readonly first: number;
  readonly last: number;
};

const BOUNDS = defineStoreQuery(
  'refusal_bounds',
  Type.Object({
    collector: Type.String(),
    boot: Type.String(),
    begins: Type.Boolean(),
    before: Type.Number(),
    first: Type.Number(),
    last: Type.Number(),
  }),
);

const FROM_SQL = "fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')";

const BOUNDS_SQL = `
SELECT
  collector,
  boot,
  toBool(min(began) >= ${FROM_SQL}) AS begins,
  maxIf(toInt64(sequence), at <= ${FROM_SQL}) - if(countIf(at <= ${FROM_SQL}) = 0, 1, 0) AS before,
  minIf(toInt64(sequence), at > ${FROM_SQL}) AS first,
  maxIf(toInt64(sequence), at > ${FROM_SQL}) AS last
FROM (
  SELECT collector, boot, sequence, min(time) AS at, min(started) AS began
  FROM edge_account_kept
  WHERE time > fromUnixTimestamp64Milli({before_ms:Int64}, 'UTC') AND time <= fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')
  GROUP BY collector, boot, sequence, chunks
  HAVING uniqExact(chunk) = chunks
)
GROUP BY collector, boot
HAVING countIf(at > ${FROM_SQL}) > 0
ORDER BY collector, boot`;

const REFUSED = defineStoreQuery(
  'refusals',
  Type.Object({
    sdk_app_id: Type.Number(),
    reason: Type.String(),
    records: Type.Number(),
    total: Type.Number(),
    pairs: Type.Number(),
  }),
);

/** @param scope which applications of an account; a chunk that was stored twice counts once */
const refusedSql = (scope: string): string => `
SELECT sdk_app_id, reason, records, sum(records) OVER () AS total, count() OVER () AS pairs
FROM (
SELECT sdk_app_id, reason, sum(refused) AS records
FROM (
  SELECT
    boot,
    refusal.1 AS sdk_app_id,
    refusal.2 AS reason,
    toInt64(maxIf(refusal.3, is_last)) - toInt64(maxIf(refusal.3, is_base)) AS refused
  FROM (
    SELECT
      boot,
      toInt64(sequence) = transform(boot, {boots:Array(String)}, {lasts:Array(Int64)}, toInt64(-1)) AS is_last,
      toInt64(sequence) = transform(boot, {boots:Array(String)}, {bases:Array(Int64)}, toInt64(-1)) AS is_base,
      arrayJoin(arrayFlatten(arrayMap(
        one -> arrayMap((reason, records) -> (one.sdk_app_id, reason, records), mapKeys(one.rejected), mapValues(one.rejected)),
        arrayFilter(one -> ${scope}, applications)
      ))) AS refusal
    FROM edge_account_kept
    WHERE collector IN {collectors:Array(String)} AND (boot, sequence) IN (
      SELECT pair.1, toUInt64(pair.2)
      FROM (SELECT arrayJoin(arrayConcat(
        arrayZip({boots:Array(String)}, {lasts:Array(Int64)}), arrayZip({boots:Array(String)}, {bases:Array(Int64)})
      )) AS pair)
      WHERE pair.2 >= 0
    )
  )
  WHERE is_last OR is_base
  GROUP BY boot, sdk_app_id, reason
)
WHERE refused > 0
GROUP BY sdk_app_id, reason
)
ORDER BY records DESC, sdk_app_id, reason
LIMIT ${REFUSALS_MAX}`;

/** The account to count from: -1 for none, where the incarnation began within the window. */
export function baseOf({ begins, before, first }: AccountBounds): number {
  if (before >= 0) return before;
  // What it refused before its first account may lie before the window, so it is left out.
  return begins ? -1 : first;
}

export type RefusedRow = { readonly sdk_app_id: number; readonly reason: string; readonly records: number };

export async function askRefused(
  ask: Ask,
  scope: ReadScope,
  window: TimeWindow,
  signal: AbortSignal,
): Promise<readonly (RefusedRow & { readonly total: number; readonly pairs: number })[]> {
  const span = { ...spanParams(window), before_ms: window.fromMs - BEFORE_MS };
  const bounds = await ask(BOUNDS, BOUNDS_SQL, span, signal);
  if (bounds.length === 0) return [];
  const params = {
    collectors: [...new Set(bounds.map(({ collector }) => collector))],
    boots: bounds.map(({ boot }) => boot),
    lasts: bounds.map(({ last }) => last),
    bases: bounds.map(baseOf),
  };
  const which = scopeSql('one.sdk_app_id', scope);
  return ask(REFUSED, refusedSql(which.sql), { ...params, ...which.params }, signal);
}

/** Of rows of one application. */
export function refusalsOf(rows: readonly RefusedRow[]): Refusals {
  const reasons = rows.map(({ reason, records }) => ({ reason, records, ...describeRejectReason(reason) }));
  return { records: rows.reduce((sum, { records }) => sum + records, 0), reasons };
}

/** 5,000 incarnations of 130 bytes; 2,000 pairs of application and reason, with 350 bytes of text in the answer and names of 1 KiB. */
export const REFUSALS_BOUNDS: AnswerBounds = {
  pointsMax: 0,
  rowsMax: 5_000,
  bytes: 4 * MIB,
  bytesPerPoint: 0,
  memoryPerByte: FLAT_ROWS,
};
