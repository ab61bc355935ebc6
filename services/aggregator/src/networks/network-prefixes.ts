/*
 * Turns address ranges into prefixes that a dictionary can hold. Answers show addresses as /24 of IPv4 and /48 of IPv6, so
 * nothing is finer than that: a unit that several systems share counts as the one with the most of its addresses. Then
 * the system of an address follows from its masked prefix.
 */

/** First and last address, as numbers of `bits` bits. */
export type AddressRange = { readonly first: bigint; readonly last: bigint; readonly asn: number };
export type NetworkPrefix = { readonly prefix: string; readonly asn: number };

export type AddressFamily = {
  readonly bits: number;
  /** Length of the finest prefix. */
  readonly unitLength: number;
  readonly text: (address: bigint) => string;
};

export const IPV4: AddressFamily = {
  bits: 32,
  unitLength: 24,
  text: (address) => [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 255n).join('.'),
};
export const IPV6: AddressFamily = {
  bits: 128,
  unitLength: 48,
  text: (address) => (address.toString(16).padStart(32, '0').match(/.{4}/g) ?? []).join(':'),
};

/** Whole units, first and last; units are numbered by the first `unitLength` bits of their addresses. */
type Run = { readonly first: number; readonly last: number; readonly asn: number };

/**
 * @param ranges sorted by their first address; addresses of two ranges count as the earlier one's
 * @throws where they are not sorted, with the range that is out of order
 */
export function* prefixesOf(ranges: Iterable<AddressRange>, family: AddressFamily): Generator<NetworkPrefix> {
  const unitBits = BigInt(family.bits - family.unitLength);
  for (const { first, last, asn } of joinedRuns(wholeUnits(disjoint(ranges), unitBits))) {
    for (let unit = first; unit <= last;) {
      const units = blockAt(unit, last - unit + 1);
      const length = family.unitLength - Math.log2(units);
      yield { prefix: `${family.text(BigInt(unit) << unitBits)}/${length}`, asn };
      unit += units;
    }
  }
}

/** The largest power of two that divides `unit` and is at most `count`. Units have up to 48 bits: no bit operators. */
function blockAt(unit: number, count: number): number {
  let units = 1;
  while (unit % (units * 2) === 0 && units * 2 <= count) units *= 2;
  return units;
}

function* disjoint(ranges: Iterable<AddressRange>): Generator<AddressRange> {
  let begun = -1n;
  let end = -1n;
  for (const { first, last, asn } of ranges) {
    if (first < begun || last < first) {
      throw new Error(`the address range ${first} to ${last} of AS${asn} is out of order`);
    }
    begun = first;
    if (last <= end) continue;
    yield { first: first > end ? first : end + 1n, last, asn };
    end = last;
  }
}

function* wholeUnits(ranges: Iterable<AddressRange>, unitBits: bigint): Generator<Run> {
  const shared = new SharedUnit();
  for (const range of ranges) {
    const { first, last, asn } = range;
    const firstUnit = first >> unitBits;
    const lastUnit = last >> unitBits;
    const isWhole = (unit: bigint): boolean =>
      first <= unit << unitBits && ((unit + 1n) << unitBits) - 1n <= last;
    // A range touches at most two units in part: its first and its last.
    if (!isWhole(firstUnit)) yield* shared.add(range, firstUnit, unitBits);
    const from = isWhole(firstUnit) ? firstUnit : firstUnit + 1n;
    const to = isWhole(lastUnit) ? lastUnit : lastUnit - 1n;
    if (from <= to) {
      yield* shared.end();
      yield { first: Number(from), last: Number(to), asn };
    }
    if (lastUnit !== firstUnit && !isWhole(lastUnit)) yield* shared.add(range, lastUnit, unitBits);
  }
  yield* shared.end();
}

/** A unit of which ranges hold parts. */
class SharedUnit {
  #unit = -1n;
  readonly #addresses = new Map<number, bigint>();

  *add({ first, last, asn }: AddressRange, unit: bigint, unitBits: bigint): Generator<Run> {
    if (unit !== this.#unit) yield* this.end();
    this.#unit = unit;
    const unitFirst = unit << unitBits;
    const unitLast = ((unit + 1n) << unitBits) - 1n;
    const from = first > unitFirst ? first : unitFirst;
    const to = last < unitLast ? last : unitLast;
    this.#addresses.set(asn, (this.#addresses.get(asn) ?? 0n) + (to - from + 1n));
  }

  /** Of equal parts, the lower number wins. */
  *end(): Generator<Run> {
    const [most] = [...this.#addresses].toSorted(([a, countA], [b, countB]) =>
      countA === countB ? a - b : countA < countB ? 1 : -1,
    );
    if (most !== undefined) yield { first: Number(this.#unit), last: Number(this.#unit), asn: most[0] };
    this.#addresses.clear();
  }
}

/** Neighbours of one system become one run. */
function* joinedRuns(runs: Iterable<Run>): Generator<Run> {
  let open: Run | undefined;
  for (const run of runs) {
    if (open !== undefined && open.asn === run.asn && open.last + 1 === run.first) {
      open = { ...open, last: run.last };
      continue;
    }
    if (open !== undefined) yield open;
    open = run;
  }
  if (open !== undefined) yield open;
}
