/*
 * Rows of blocks that are not in the ledger. A block id is a hash of the block's place, so the place can be found by
 * trying: after a partition's last block it is a block that is being stored now, in a gap of the offsets it is a block
 * whose ledger row is lost. Rows of no such place were written by another writer.
 */
import { isSamePlace } from '@imscope/accounting/place.js';
import { CODECS } from '@imscope/schemas/container-codec.js';
import { containerForm } from '@imscope/schemas/container.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { blockIdOf, type BlockPlace, tokenOf } from '../blocks/block-content.js';
import { REQUEST_LOG_STREAM } from '../blocks/streams.js';
import type { Difference } from './difference.js';
import { type Pass, passParams } from './pass.js';
import type { OffsetSegment } from './offsets.js';

export type UnrecordedBlock = {
  readonly block: string;
  readonly rows: number;
  readonly sdk_app_id: number;
  readonly minute: string;
};

/** Offsets that no block of the ledger holds: a gap, or all after a partition's last block. */
type OpenOffsets = BlockPlace & { readonly first: number; readonly last: number };

/** A block id also depends on the form of its containers. */
const FORMS = REQUEST_LOG_STREAM.schemas.flatMap((schema) =>
  CODECS.map((codec) => containerForm(schema, codec)),
);

/** Hashes tried in one pass: 0.4 s. A block has seldom more than some hundred messages. */
const TRIES_MAX = 200_000;

// A row's event time is at most minutes ahead of its append, so blocks appended before the pass's begin hold none of
// these rows.
const UNRECORDED = `
SELECT toString(block_id) AS block, count() AS rows, any(sdk_app_id) AS sdk_app_id,
  formatDateTime(toStartOfMinute(min(time)), '%FT%H:%i:00Z') AS minute
FROM request_log
WHERE time >= fromUnixTimestamp64Milli({from:Int64}) AND time <= fromUnixTimestamp64Milli({now:Int64}) + INTERVAL 10 MINUTE
  AND block_id NOT IN (SELECT arrayJoin(block_ids) FROM block_ledger
    WHERE last_appended >= fromUnixTimestamp64Milli({ledger_from:Int64}))
GROUP BY block_id ORDER BY block_id LIMIT {rows_max:UInt32}`;

export async function readUnrecordedBlocks(pass: Pass, fromMs: number): Promise<UnrecordedBlock[]> {
  return pass.ask<UnrecordedBlock>(UNRECORDED, {
    ...passParams({ ...pass, fromMs }),
    now: pass.nowMs,
  });
}

/** @param segments of all partitions, read before the rows */
export function unrecordedDifferences(
  blocks: readonly UnrecordedBlock[],
  segments: readonly OffsetSegment[],
  topicPrefix: string,
): Difference[] {
  if (blocks.length === 0) return [];
  const topic = topicPrefix + TOPICS.requestLog.name;
  const placed = placeBlocks(
    new Set(blocks.map(({ block }) => block)),
    openOffsets(segments.filter((segment) => segment.topic === topic)),
  );
  return blocks.flatMap(({ block, rows, sdk_app_id, minute }): Difference[] => {
    const place = placed.get(block);
    if (place?.last === Infinity) return [];
    const found = { kind: 'unbooked_rows', block, sdk_app_id, minute, expected: 0, found: rows } as const;
    if (place === undefined) {
      const words = 'rows of a block that is nowhere in the ledger';
      return [{ check: 'rows', topic, ...found, words }];
    }
    const { epoch, partition, first, last } = place;
    const at = { topic, epoch, partition, first_offset: first, last_offset: last };
    return [
      { check: 'rows', ...at, ...found, words: 'the rows of this block are there, its ledger row is not' },
    ];
  });
}

/** Gaps, the offsets before an epoch's first block, and the open end after its last. */
function openOffsets(segments: readonly OffsetSegment[]): OpenOffsets[] {
  return segments.flatMap((segment, index) => {
    const { cluster, topic, epoch, partition, first_offset, last_offset } = segment;
    const place = { cluster, topic, epoch, partition };
    const [previous, next] = [segments[index - 1], segments[index + 1]];
    const before =
      previous !== undefined && isSamePlace(previous, segment)
        ? []
        : [{ ...place, first: 0, last: first_offset - 1 }];
    const end = next !== undefined && isSamePlace(next, segment) ? next.first_offset - 1 : Infinity;
    return [...before, { ...place, first: last_offset + 1, last: end }];
  });
}

/** Short blocks first, in all places in turn; where one is found, the search continues after it. */
function placeBlocks(wanted: ReadonlySet<string>, open: readonly OpenOffsets[]): Map<string, OpenOffsets> {
  const placed = new Map<string, OpenOffsets>();
  let places = open.map((place) => ({ ...place, messages: 1 }));
  for (let tries = 0; tries < TRIES_MAX && places.length > 0 && placed.size < wanted.size;) {
    tries += places.length * FORMS.length;
    places = places.flatMap((place) => {
      const end = place.first + place.messages - 1;
      if (end > place.last) return [];
      const block = FORMS.map((form) =>
        blockIdOf(tokenOf(place, { firstOffset: place.first, lastOffset: end }, form)),
      ).find((id) => wanted.has(id));
      if (block === undefined) return [{ ...place, messages: place.messages + 1 }];
      placed.set(block, { ...place, last: place.last === Infinity ? Infinity : end });
      return [{ ...place, first: end + 1, messages: 1 }];
    });
  }
  return placed;
}
