/*
 * Owns random numbers: one seeded source (sfc32) and weighted choice by alias tables. The same seed gives the same
 * numbers on every machine; nothing here reads a clock.
 */

/** A seeded source of random numbers (sfc32: 128 bits of state, passes PractRand). */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /** @param parts numbers and texts that together are the seed */
  constructor(...parts: readonly (number | string)[]) {
    const text = parts.join('\u0000');
    this.a = fnv1a(text, 0x811c9dc5);
    this.b = fnv1a(text, 0x9e3779b9);
    this.c = fnv1a(text, 0x85ebca6b);
    for (let round = 0; round < 15; round++) this.uint32();
  }

  /** 32 random bits, 0 to 4294967295. */
  uint32(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** From 0 inclusive to 1 exclusive, in steps of 2^-32. */
  unit(): number {
    return this.uint32() / 4294967296;
  }

  /** An integer from 0 to `bound` - 1. */
  below(bound: number): number {
    return Math.floor(this.unit() * bound);
  }
}

function fnv1a(text: string, basis: number): number {
  let hash = basis | 0;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash;
}

/** Choice of an index by weight in constant time (Walker's alias method, built as Vose does). */
export class AliasTable {
  private readonly threshold: Float64Array;
  private readonly alias: Int32Array;

  /** @param weights none negative, at least one positive */
  constructor(weights: readonly number[]) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    if (!(total > 0)) throw new Error(`weights must add up to more than 0, received ${total}`);
    const size = weights.length;
    const scaled = weights.map((weight) => (weight * size) / total);
    this.threshold = new Float64Array(size).fill(1);
    this.alias = Int32Array.from({ length: size }, (_, index) => index);
    const small: number[] = [];
    const large: number[] = [];
    scaled.forEach((weight, index) => (weight < 1 ? small : large).push(index));
    for (;;) {
      const low = small.pop();
      const high = large.pop();
      if (low === undefined || high === undefined) break;
      this.threshold[low] = scaled[low] ?? 1;
      this.alias[low] = high;
      const left = (scaled[high] ?? 1) + (scaled[low] ?? 1) - 1;
      scaled[high] = left;
      (left < 1 ? small : large).push(high);
    }
  }

  /** @param unit from 0 inclusive to 1 exclusive */
  pick(unit: number): number {
    const scaled = unit * this.threshold.length;
    const index = Math.floor(scaled);
    return scaled - index < (this.threshold[index] ?? 1) ? index : (this.alias[index] ?? index);
  }
}

/** Quantiles of the standard normal distribution at 65,536 even steps, to draw from with 16 bits. */
export const NORMAL_QUANTILES: Float64Array = Float64Array.from({ length: 65536 }, (_, index) =>
  normalQuantile((index + 0.5) / 65536),
);

/** Acklam's rational approximation of the inverse normal distribution, relative error below 1.2e-9. */
function normalQuantile(probability: number): number {
  if (probability > 0.5) return -normalQuantile(1 - probability);
  if (probability < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(probability));
    return (
      (((((-7.784894002430293e-3 * q - 0.3223964580411365) * q - 2.400758277161838) * q - 2.549732539343734) *
        q +
        4.374664141464968) *
        q +
        2.938163982698783) /
      ((((7.784695709041462e-3 * q + 0.3224671290700398) * q + 2.445134137142996) * q + 3.754408661907416) *
        q +
        1)
    );
  }
  const q = probability - 0.5;
  const r = q * q;
  return (
    ((((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r + 138.357751867269) * r -
      30.66479806614716) *
      r +
      2.506628277459239) *
      q) /
    (((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r -
      13.28068155288572) *
      r +
      1)
  );
}
