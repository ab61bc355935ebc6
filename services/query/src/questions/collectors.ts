/*
 * `collectors`: which collectors are there, in which version, with which settings, and do they deliver? Figures come from
 * the last account of each incarnation; what is missing, and when it was heard, from the running balance.
 */
import type { IncarnationTrack } from '@imscope/accounting/running/incarnation-track.js';
import { bookedLoss } from '@imscope/accounting/retirement/booked-retirement.js';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { CollectorRow } from '@imscope/schemas/query-api/collectors.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { type Static, Type } from 'typebox';
import { isSilent } from '../completeness/assess.js';
import { LOG_TERM_MS, resolveWindow, timeText, type TimeWindow } from '../figures/time-window.js';
import { type AnswerBounds, FLAT_ROWS, MIB } from '../store/answer-bounds.js';
import { defineStoreQuery } from '../store/ask-store.js';
import { fleetQuestion } from './question.js';

const COLLECTORS_MAX = 1_000;
/** In this order. */
const STATES = ['silent', 'unknown', 'live', 'retired', 'ended'] as const satisfies CollectorRow['state'][];

const LastAccount = Type.Object({
  boot: Type.String(),
  version: Type.String(),
  host: Type.String(),
  region: Type.String(),
  settings_hash: Type.String(),
  spool_bytes: Type.Number(),
  spool_bytes_max: Type.Number(),
  waiting_batches: Type.Number(),
  accepted: Type.Number(),
  sampled_out: Type.Number(),
  rejected: Type.Number(),
  sent: Type.Number(),
});
type LastAccount = Static<typeof LastAccount>;
const LAST_ACCOUNT = defineStoreQuery('collectors', LastAccount);

// A chunk that is stored twice counts once. Chunk 0 has the partitions.
const LAST_ACCOUNT_SQL = `
SELECT boot, any(version) AS version, any(host) AS host, any(region) AS region, any(settings_hash) AS settings_hash,
  any(spool_bytes) AS spool_bytes, any(spool_bytes_max) AS spool_bytes_max, any(waiting_batches) AS waiting_batches,
  sum(chunk_accepted) AS accepted, sum(chunk_sampled_out) AS sampled_out, sum(chunk_rejected) AS rejected,
  sum(chunk_sent) AS sent
FROM (
  SELECT boot, chunk, version, host, region, settings_hash, spool_bytes, spool_bytes_max, waiting_batches,
    arraySum(applications.accepted) AS chunk_accepted,
    arraySum(applications.sampled_out) AS chunk_sampled_out,
    arraySum(one -> arraySum(mapValues(one)), applications.rejected) AS chunk_rejected,
    arraySum((topic, records) -> if(topic = {topic:String}, records, 0), partitions.topic, partitions.records) AS chunk_sent
  FROM edge_account_kept
  WHERE (boot, toInt64(sequence)) IN (
    SELECT pair.1, pair.2 FROM (SELECT arrayJoin(arrayZip({boots:Array(String)}, {sequences:Array(Int64)})) AS pair)
  )
  LIMIT 1 BY boot, chunk
)
GROUP BY boot
ORDER BY boot
LIMIT ${COLLECTORS_MAX}`;

/** 1,000 rows of some 700 bytes, with a reason of 500 characters each. */
const BOUNDS: AnswerBounds = {
  pointsMax: 0,
  rowsMax: COLLECTORS_MAX,
  bytes: 2 * MIB,
  bytesPerPoint: 0,
  memoryPerByte: FLAT_ROWS,
};

export const collectors = fleetQuestion('collectors', {
  bounds: BOUNDS,
  source: 'accounts',
  readsAll: true,
  plan: ({ query, nowMs }) => {
    const from = query.from ?? timeText(nowMs - LOG_TERM_MS);
    return { window: resolveWindow({ ...query, from }, nowMs), stepMs: null, points: 0 };
  },
  answer: async ({ ask, incarnationsOf, window, nowMs, signal }) => {
    const incarnations = await incarnationsOf(nowMs);
    if (incarnations === undefined) {
      throw new HttpError('unavailable', 'the accounts of the collectors are being read: try again', {
        retryAfterS: 3,
      });
    }
    const within = incarnations
      .filter((incarnation) => isWithin(incarnation, window))
      .map((incarnation) => ({ incarnation, state: stateOf(incarnation, nowMs) }))
      .toSorted(compareRows);
    const listed = within.slice(0, COLLECTORS_MAX);
    const accounts = await ask(
      LAST_ACCOUNT,
      LAST_ACCOUNT_SQL,
      {
        boots: listed.map(({ incarnation }) => incarnation.boot),
        sequences: listed.map(({ incarnation }) => incarnation.accountSequence),
        topic: TOPICS.requestLog.name,
      },
      signal,
    );
    const byBoot = new Map(accounts.map((account) => [account.boot, account]));
    const data = listed.map(({ incarnation, state }) =>
      rowOf(incarnation, state, byBoot.get(incarnation.boot)),
    );
    return { data, leftOut: within.length - listed.length };
  },
});

function isWithin({ startedMs, accounted, lastSignMs }: IncarnationTrack, window: TimeWindow): boolean {
  return (!accounted || startedMs < window.toMs) && lastSignMs >= window.fromMs;
}

function stateOf(incarnation: IncarnationTrack, nowMs: number): CollectorRow['state'] {
  if (incarnation.retired) return 'retired';
  if (incarnation.final) return 'ended';
  if (!incarnation.accounted) return 'unknown';
  return isSilent(incarnation, nowMs) ? 'silent' : 'live';
}

type Row = { readonly incarnation: IncarnationTrack; readonly state: CollectorRow['state'] };

/** Of each state the last heard first, and the same order each time. */
function compareRows(a: Row, b: Row): number {
  return (
    STATES.indexOf(a.state) - STATES.indexOf(b.state) ||
    b.incarnation.lastSignMs - a.incarnation.lastSignMs ||
    (a.incarnation.boot < b.incarnation.boot ? -1 : 1)
  );
}

function rowOf(
  incarnation: IncarnationTrack,
  state: CollectorRow['state'],
  account: LastAccount | undefined,
): CollectorRow {
  const { collector, boot, accounted, startedMs, heardMs, missing, storedAhead } = incarnation;
  return {
    collector,
    boot,
    state,
    version: account?.version ?? '',
    host: account?.host ?? '',
    region: account?.region ?? '',
    settings_hash: account?.settings_hash ?? '',
    started: accounted ? timeText(startedMs) : null,
    last_heard: timeText(heardMs),
    spool:
      account === undefined || account.spool_bytes_max === 0
        ? null
        : {
            bytes: account.spool_bytes,
            bytes_max: account.spool_bytes_max,
            waiting_batches: account.waiting_batches,
          },
    records: {
      accepted: account?.accepted ?? 0,
      sampled_out: account?.sampled_out ?? 0,
      rejected: account?.rejected ?? 0,
      sent: account?.sent ?? 0,
      missing,
      unaccounted: storedAhead,
    },
    retirement: retirementOf(incarnation),
  };
}

function retirementOf({ retirement, returned }: IncarnationTrack): CollectorRow['retirement'] {
  if (retirement === undefined) return null;
  const { missing, unaccounted } = bookedLoss(retirement);
  return {
    at: timeText(retirement.atMs),
    by: retirement.by,
    reason: retirement.reason,
    missing,
    unaccounted_max: unaccounted,
    accepted_from: timeText(retirement.acceptedFromMs),
    accepted_to: timeText(retirement.acceptedToMs),
    spool_records_max: retirement.spoolRecordsMax === 0 ? null : retirement.spoolRecordsMax,
    taken_back: returned,
  };
}
