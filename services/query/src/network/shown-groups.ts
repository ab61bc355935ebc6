/*
 * Which rows of providers, systems or regions are shown: those that meet the minimum. What is not shown meets it as well:
 * the smallest rows join it until it does.
 */
import type { Minimum } from '../figures/minimum.js';

export type Sized = {
  /** Logged requests. */
  readonly rows: number;
  /** Different addresses, counted up to a bound. */
  readonly addresses: number;
};

/**
 * @param haveOwnAddresses no address is in two groups, so their numbers add up; otherwise the largest counts
 * @returns groups in the order given
 */
export function shownGroups<T extends Sized>(
  groups: readonly T[],
  { requests, addresses }: Minimum,
  haveOwnAddresses: boolean,
): T[] {
  const isLarge = (group: Sized): boolean => group.rows >= requests && group.addresses >= addresses;
  const smallestFirst = groups.filter(isLarge).toSorted((a, b) => a.rows - b.rows);
  const hidden = new Set<T>(groups.filter((group) => !isLarge(group)));
  const together = (): Sized => {
    const counts = [...hidden].map((group) => group.addresses);
    return {
      rows: [...hidden].reduce((sum, group) => sum + group.rows, 0),
      addresses: haveOwnAddresses ? counts.reduce((sum, count) => sum + count, 0) : Math.max(0, ...counts),
    };
  };
  while (hidden.size > 0 && !isLarge(together())) {
    const next = smallestFirst.shift();
    if (next === undefined) break;
    hidden.add(next);
  }
  return groups.filter((group) => !hidden.has(group));
}
