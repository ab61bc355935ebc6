/*
 * The balance of each incarnation and partition: sent = stored + duplicate + dead + expired. A batch that was sent
 * twice counts once in accounts and in the ledger's ranges, so duplicates add nothing. Batches of an incarnation arrive
 * in the order of their sequences: a gap below one that is stored is a loss at once, what follows the last one stored
 * may be on its way until it is settled. Pure.
 */
import { TOPICS } from '@imscope/schemas/topics.js';
import type { BatchSegment, Evidence, Incarnation, Mark } from '../evidence/evidence.js';
import { type BookedRetirement, holds } from '../retirement/booked-retirement.js';
import type { Fault, FaultPlace, Settling } from './fault.js';
import { keyedFaults } from './keyed-faults.js';

/** How long it is reported, after the last account, that a retired incarnation was not gone. */
const RETURN_REPORTED_MS = 3_600_000;

/** What is not settled yet and so no fault: incarnations, and their batches. */
export type Pending = { readonly boots: number; readonly batches: number };

export type Balance = { readonly faults: readonly Fault[]; readonly pending: Pending };

/** Everything known of one incarnation's batches in one partition. */
type Side = {
  readonly boot: string;
  readonly topic: string;
  readonly partition: number;
  readonly segments: readonly BatchSegment[];
  readonly mark: Mark | undefined;
  readonly lost: number;
  /** It is gone for ever: what did not come is lost, and is no fault. */
  readonly retired: boolean;
};

type Part = { readonly boot: string; readonly faults: readonly Fault[]; readonly pending: number };

/**
 * All faults between accounts and ledger. The same evidence gives the same faults at a later time, except that pending
 * batches become faults.
 */
export function balanceOf(evidence: Evidence, settling: Settling): Balance {
  const incarnations = new Map(evidence.incarnations.map((one) => [one.boot, one]));
  const sides = sidesOf(evidence).map((side) => balanceSide(side, incarnations.get(side.boot), settling));
  const unaccounted = [...Map.groupBy(evidence.batches, ({ boot }) => boot)]
    .filter(([boot]) => !evidence.known.has(boot) && !isRetired(evidence, boot))
    .map(([boot, segments]) => balanceUnaccounted(boot, segments, settling));
  const parts = [...sides, ...unaccounted];
  const pending = parts.filter((part) => part.pending > 0);
  return {
    faults: [
      ...parts.flatMap(({ faults }) => faults),
      ...evidence.incarnations.flatMap((one) =>
        silenceFaults(one, evidence.retirements.get(one.boot), settling),
      ),
      ...keyedFaults(evidence, settling),
    ],
    pending: {
      boots: new Set(pending.map(({ boot }) => boot)).size,
      batches: pending.reduce((sum, part) => sum + part.pending, 0),
    },
  };
}

function sidesOf(evidence: Evidence): Side[] {
  const key = (at: Pick<Side, 'boot' | 'topic' | 'partition'>): string =>
    `${at.boot}/${at.topic}/${at.partition}`;
  const segments = Map.groupBy(evidence.batches, key);
  const marks = new Map(evidence.marks.filter(({ keyed }) => !keyed).map((mark) => [key(mark), mark]));
  const losses = new Map(evidence.losses.map((loss) => [key(loss), loss.records]));
  const places = new Map(
    [...evidence.batches, ...marks.values()].map((at) => [
      key(at),
      { boot: at.boot, topic: at.topic, partition: at.partition },
    ]),
  );
  return Array.from(places, ([place, at]) => ({
    ...at,
    segments: segments.get(place) ?? [],
    mark: marks.get(place),
    lost: losses.get(place) ?? 0,
    retired: isRetired(evidence, at.boot),
  }));
}

function isRetired({ retirements }: Evidence, boot: string): boolean {
  const retirement = retirements.get(boot);
  return retirement !== undefined && holds(retirement);
}

function balanceSide(side: Side, incarnation: Incarnation | undefined, settling: Settling): Part {
  const { boot, topic, partition, segments, mark } = side;
  const place = {
    topic,
    partition,
    boot,
    ...(incarnation === undefined ? {} : { collector: incarnation.collector }),
  };
  const gaps = gapsOf(side, incarnation);
  const sent = mark === undefined ? 0 : mark.last_records - mark.base_records;
  const inside = segments.reduce((sum, segment) => sum + segment.inside, side.lost);
  const faults: Fault[] = gaps.map(({ first, last }) => ({
    ...place,
    kind: 'missing_batches',
    first_sequence: first,
    last_sequence: last,
    expected: last - first + 1,
    found: 0,
    // With several gaps it is unknown which of them held the missing records.
    records: gaps.length === 1 ? Math.max(0, sent - inside) : 0,
  }));
  for (const { doubled, doubled_first: first, doubled_last: last } of segments) {
    if (doubled === 0) continue;
    const range = { first_sequence: first, last_sequence: last };
    faults.push({ ...place, kind: 'doubled_batches', ...range, expected: doubled, found: 2 * doubled });
  }
  if (incarnation === undefined || side.retired) return { boot, faults, pending: 0 };
  const reached = Math.max(baseOf(side, incarnation), segments.at(-1)?.last_sequence ?? -1);
  const tail = balanceTail(place, side, { incarnation, reached, settling });
  if (gaps.length === 0 && mark !== undefined && reached >= mark.last_sequence) {
    faults.push(...sumFaults(place, mark, inside, segments));
  }
  return { boot, faults: [...faults, ...tail.faults], pending: tail.pending };
}

/** The sequence up to which the scope does not reach back; -1 where it holds the incarnation's first batch. */
function baseOf({ mark, segments }: Side, incarnation: Incarnation | undefined): number {
  // Accounts name every partition that was ever sent to.
  if (incarnation !== undefined) return mark?.base_sequence ?? -1;
  return (segments[0]?.first_sequence ?? 0) - 1;
}

function gapsOf(side: Side, incarnation: Incarnation | undefined): { first: number; last: number }[] {
  const gaps: { first: number; last: number }[] = [];
  let reached = baseOf(side, incarnation);
  for (const { first_sequence: first, last_sequence: last } of side.segments) {
    if (first > reached + 1) gaps.push({ first: reached + 1, last: first - 1 });
    reached = Math.max(reached, last);
  }
  return gaps;
}

/** What follows the last batch stored, or the last account. */
function balanceTail(
  place: FaultPlace,
  { mark, topic, segments }: Side,
  { incarnation, reached, settling }: { incarnation: Incarnation; reached: number; settling: Settling },
): { faults: readonly Fault[]; pending: number } {
  const { nowMs, settleMs } = settling;
  const sentTo = mark?.last_sequence ?? -1;
  const heardMs = Math.max(incarnation.last_time, segments.at(-1)?.appended_last ?? 0);
  const settled = nowMs - heardMs >= settleMs;
  const missing = sentTo - reached;
  if (missing > 0) {
    if (!settled) return { faults: [], pending: missing };
    const range = { first_sequence: reached + 1, last_sequence: sentTo };
    return {
      faults: [{ ...place, kind: 'unsent_batches', ...range, expected: missing, found: 0 }],
      pending: 0,
    };
  }
  // An account covers what was sent before it, so never its own batch.
  const isAccounts = topic === TOPICS.edgeAccount.name;
  if (isAccounts || missing === 0 || !(incarnation.ended || settled)) return { faults: [], pending: 0 };
  const range = { first_sequence: sentTo + 1, last_sequence: reached };
  return {
    faults: [{ ...place, kind: 'unvouched_batches', ...range, expected: 0, found: -missing }],
    pending: 0,
  };
}

/** Any number of the records of ranges that cross an end may be inside, so the sum is compared with both bounds. */
function sumFaults(
  place: FaultPlace,
  mark: Mark,
  inside: number,
  segments: readonly BatchSegment[],
): Fault[] {
  const sent = mark.last_records - mark.base_records;
  const most = segments.reduce((sum, { across_end }) => sum + across_end, inside);
  if (inside <= sent && sent <= most) return [];
  const range = { first_sequence: mark.base_sequence + 1, last_sequence: mark.last_sequence };
  return [{ ...place, kind: 'record_sum', ...range, expected: sent, found: sent < inside ? inside : most }];
}

function balanceUnaccounted(
  boot: string,
  segments: readonly BatchSegment[],
  { nowMs, settleMs }: Settling,
): Part {
  const newestMs = segments.reduce((newest, { appended_last: at }) => Math.max(newest, at), 0);
  const batches = segments.reduce((sum, at) => sum + at.last_sequence - at.first_sequence + 1, 0);
  if (nowMs - newestMs < settleMs) return { boot, faults: [], pending: batches };
  return { boot, faults: [{ kind: 'no_account', boot, expected: 0, found: batches }], pending: 0 };
}

/** Batches after the last account are unknown until the incarnation writes its final one, or its collector restarts. */
function silenceFaults(
  incarnation: Incarnation,
  retirement: BookedRetirement | undefined,
  { nowMs, settleMs }: Settling,
): Fault[] {
  const { boot, collector, ended, last_time: lastAccountMs } = incarnation;
  if (retirement !== undefined) {
    if (holds(retirement)) return [];
    if (nowMs - lastAccountMs < RETURN_REPORTED_MS) {
      const { by, lastAccount: expected, newestAccount: found } = retirement;
      return [{ kind: 'retired_returned', collector, boot, lastAccountMs, by, expected, found }];
    }
  }
  if (ended || nowMs - lastAccountMs < settleMs) return [];
  return [{ kind: 'silent_boot', collector, boot, lastAccountMs, expected: 1, found: 0 }];
}
