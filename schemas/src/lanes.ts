/*
 * Lanes: which partitions of which shard an application's records go to. Applications hash
 * to slots, slots belong to lanes by a versioned map. There is no modulus over the lanes: with it, a retry of old
 * records would go to another lane after a shard is added. One machine has one lane.
 */
import { createHash } from 'node:crypto';

export const SLOTS = 1024;

export type Lane = { readonly name: string; readonly partitions: readonly number[]; readonly shard: number };

export type LaneMap = {
  readonly version: number;
  readonly lanes: readonly Lane[];
  /** For each of the 1,024 slots the index of its lane. */
  readonly slots: readonly number[];
};

/** The map of one machine: every application in one lane over all partitions. */
export function singleLane(partitions: number): LaneMap {
  const lane: Lane = {
    name: 'lane-0',
    partitions: Array.from({ length: partitions }, (_, i) => i),
    shard: 0,
  };
  return { version: 1, lanes: [lane], slots: Array.from({ length: SLOTS }, () => 0) };
}

const slotOf = new Map<number, number>();
/** Beyond this many applications a slot is calculated again each time (0.5 µs). */
const SLOTS_REMEMBERED_MAX = 100_000;

/** The lane an application's records belong to. */
export function laneOf(map: LaneMap, sdkAppId: number): Lane {
  let slot = slotOf.get(sdkAppId);
  if (slot === undefined) {
    slot = createHash('md5').update(String(sdkAppId)).digest().readUInt16BE(0) % SLOTS;
    if (slotOf.size < SLOTS_REMEMBERED_MAX) slotOf.set(sdkAppId, slot);
  }
  const lane = map.lanes[map.slots[slot] ?? -1];
  if (lane === undefined) throw new Error(`lane map version ${map.version} has no lane for slot ${slot}`);
  return lane;
}
