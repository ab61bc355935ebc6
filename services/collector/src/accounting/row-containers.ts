/* Rows of metrics and accounts → containers, each below the bound of a message. Pure. */
import type { AvroSchema } from '@imscope/schemas/avro-schema.js';
import type { EventTimes } from '@imscope/schemas/batch-headers.js';
import { BlockBuilder } from '@imscope/schemas/block-builder.js';
import type { Lane } from '@imscope/schemas/lanes.js';

/**
 * Encoded bytes at which a container is closed. The largest row, a chunk of an account with 750 applications and
 * every reason of rejection, has below 440 kB: 450 + 440 kB and a header are below 900 kB.
 */
const CONTAINER_BYTES_MAX = 450_000;

export type RowContainer = {
  readonly lane: Lane;
  readonly container: Buffer;
  readonly records: number;
  readonly times: EventTimes;
};

/** @param timeOf the event time of a row, epoch milliseconds */
export function packRows<T>(
  schema: AvroSchema,
  rows: readonly T[],
  laneOf: (row: T) => Lane,
  timeOf: (row: T) => number,
): RowContainer[] {
  const byLane = new Map<Lane, T[]>();
  for (const row of rows) {
    const lane = laneOf(row);
    const sameLane = byLane.get(lane);
    if (sameLane === undefined) byLane.set(lane, [row]);
    else sameLane.push(row);
  }
  return Array.from(byLane, ([lane, ofLane]) => packLane(schema, lane, ofLane, timeOf)).flat();
}

function packLane<T>(
  schema: AvroSchema,
  lane: Lane,
  rows: readonly T[],
  timeOf: (row: T) => number,
): RowContainer[] {
  const builder = new BlockBuilder<T>(schema);
  const containers: RowContainer[] = [];
  let times = { least: Number.POSITIVE_INFINITY, greatest: 0 };
  rows.forEach((row, index) => {
    const time = timeOf(row);
    times = { least: Math.min(times.least, time), greatest: Math.max(times.greatest, time) };
    builder.append(row);
    if (builder.bytes < CONTAINER_BYTES_MAX && index < rows.length - 1) return;
    const { records } = builder;
    containers.push({ lane, records, times, container: builder.finish() });
    times = { least: Number.POSITIVE_INFINITY, greatest: 0 };
  });
  return containers;
}
