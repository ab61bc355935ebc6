/*
 * What a bench or a chaos run says: one JSON line a figure on stdout for machines, progress on stderr for people.
 */

export type Figure = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The same thing done by something known, measured in the same run. */
  readonly peer?: number;
  /** value / peer */
  readonly ratio?: number;
  /** The least and the greatest of the rounds: of the ratio where there is one, else of the value. */
  readonly interval?: readonly [number, number];
  /** What value, or ratio where there is one, must reach (`>=`) or not exceed (`<=`). */
  readonly goal?: string;
  readonly met?: boolean;
};

export type Goal = { readonly bound: 'at_least' | 'at_most' | 'below'; readonly limit: number };

/**
 * Makes a figure and judges it: by its ratio where it has one, else by its value. The ratio is given beside the
 * peer, because a median of ratios is not the ratio of medians.
 */
export function figure(
  name: string,
  value: number,
  unit: string,
  judged: Pick<Figure, 'peer' | 'ratio' | 'interval'> & { readonly goal?: Goal } = {},
): Figure {
  const { peer, ratio, interval, goal } = judged;
  return {
    name,
    value: rounded(value),
    unit,
    ...(peer === undefined ? {} : { peer: rounded(peer) }),
    ...(ratio === undefined ? {} : { ratio: rounded(ratio) }),
    ...(interval === undefined ? {} : { interval: [rounded(interval[0]), rounded(interval[1])] }),
    ...(goal === undefined ? {} : { goal: inWords(goal), met: meets(ratio ?? value, goal) }),
  };
}

export function printFigure(made: Figure): void {
  process.stdout.write(`${JSON.stringify(made)}\n`);
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A figure that could not be measured (NaN) meets no goal. */
function meets(value: number, { bound, limit }: Goal): boolean {
  const judges = { at_least: value >= limit, at_most: value <= limit, below: value < limit };
  return judges[bound];
}

function inWords({ bound, limit }: Goal): string {
  const signs = { at_least: '>=', at_most: '<=', below: '<' } as const;
  return `${signs[bound]} ${limit}`;
}

/** Four significant digits below a thousand, whole numbers above. */
function rounded(value: number): number {
  return Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(4));
}
