/*
 * Batches of one incarnation and partition as closed ranges of sequences with the records in them: in order, disjoint. A
 * batch that is added twice counts once. Pure, except that `addRange` changes its list.
 */
export type BatchRange = { readonly first: number; readonly last: number; readonly records: number };

/** A range cut to [first, last]: records are split in proportion to batches, so that the parts add up to the range. */
export function partOf(range: BatchRange, first: number, last: number): BatchRange {
  return { first, last, records: recordsUpTo(range, last) - recordsUpTo(range, first - 1) };
}

function recordsUpTo({ first, last, records }: BatchRange, sequence: number): number {
  return Math.round((records * (sequence - first + 1)) / (last - first + 1));
}

/** The part of a range within [first, last]; undefined where there is none. */
export function clipRange(range: BatchRange, first: number, last: number): BatchRange | undefined {
  const from = Math.max(range.first, first);
  const to = Math.min(range.last, last);
  return from > to ? undefined : partOf(range, from, to);
}

/** Adds the parts of a range that are not in the list yet. */
export function addRange(ranges: BatchRange[], range: BatchRange): void {
  const greatest = ranges.at(-1)?.last ?? -1;
  // Batches nearly always arrive in their order.
  if (range.first > greatest) {
    ranges.push(range);
    return;
  }
  let next = range.first;
  const added: BatchRange[] = [];
  for (const { first, last } of ranges) {
    const gap = clipRange(range, next, first - 1);
    if (gap !== undefined) added.push(gap);
    next = Math.max(next, last + 1);
  }
  const rest = clipRange(range, next, range.last);
  if (rest !== undefined) added.push(rest);
  ranges.push(...added);
  ranges.sort((a, b) => a.first - b.first);
}

/** The same batches in fewer ranges: neighbours without a gap become one. */
export function joinRanges(ranges: readonly BatchRange[]): BatchRange[] {
  const joined: BatchRange[] = [];
  for (const range of ranges) {
    const before = joined.at(-1);
    if (before === undefined || before.last + 1 < range.first) joined.push(range);
    else {
      const records = before.records + range.records;
      joined[joined.length - 1] = { first: before.first, last: range.last, records };
    }
  }
  return joined;
}

export function countBatches(ranges: readonly BatchRange[]): number {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

export function countRecords(ranges: readonly BatchRange[]): number {
  return ranges.reduce((sum, { records }) => sum + records, 0);
}
