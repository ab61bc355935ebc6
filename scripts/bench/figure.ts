/*
 * Prints the output of a bench or a chaos run: one JSON line for each figure on stdout, progress on stderr.
 */

export type Figure = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The same measure of the reference, from the same run. */
  readonly peer?: number;
  /** value / peer */
  readonly ratio?: number;
  /** Minimum and maximum over the rounds: of the ratio if there is one, else of the value. */
  readonly interval?: readonly [number, number];
  /** Bound of the ratio if there is one, else of the value: at least (`>=`) or at most (`<=`). */
  readonly goal?: string;
  readonly met?: boolean;
};

export type Goal = { readonly bound: 'at_least' | 'at_most' | 'below'; readonly limit: number };

/**
 * Makes a figure and compares it with its goal, by its ratio if it has one, else by its value. The ratio is a separate
 * argument, because a median of ratios is not the ratio of medians.
 */
export function figure(
  name: string,
  value: number,
  unit: string,
  comparison: Pick<Figure, 'peer' | 'ratio' | 'interval'> & { readonly goal?: Goal } = {},
): Figure {
  const { peer, ratio, interval, goal } = comparison;
  return {
    name,
    value: rounded(value),
    unit,
    ...(peer === undefined ? {} : { peer: rounded(peer) }),
    ...(ratio === undefined ? {} : { ratio: rounded(ratio) }),
    ...(interval === undefined ? {} : { interval: [rounded(interval[0]), rounded(interval[1])] }),
    ...(goal === undefined ? {} : { goal: formatGoal(goal), met: meets(ratio ?? value, goal) }),
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
  const isMet = { at_least: value >= limit, at_most: value <= limit, below: value < limit };
  return isMet[bound];
}

function formatGoal({ bound, limit }: Goal): string {
  const signs = { at_least: '>=', at_most: '<=', below: '<' } as const;
  return `${signs[bound]} ${limit}`;
}

/** Four significant digits below a thousand, integers above. */
function rounded(value: number): number {
  return Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(4));
}
