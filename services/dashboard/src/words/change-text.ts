/*
 * A headline figure against the span before: how far it moved, and whether that is good. Movements too small to mean
 * anything read "steady", so that a calm page stays calm.
 */
import { formatShare } from './format-number.js';
import { texts } from './texts.js';

export type Change = {
  readonly text: string;
  readonly verdict: 'better' | 'worse' | 'moved' | 'same' | 'none';
};
/** Which direction is good. */
export type Aim = 'higher' | 'lower' | 'neither';

const words = texts.figure.change;
const NOTHING: Change = { text: words.nothingBefore, verdict: 'none' };
const SAME: Change = { text: words.steady, verdict: 'same' };

/** Relative change of a count or a duration; below 5 % it is steady. */
export function compareAmount(now: number | null, before: number | null, aim: Aim): Change {
  if (now === null || before === null) return NOTHING;
  if (before === 0) return now === 0 ? SAME : { text: words.fromNone, verdict: verdictOf(1, aim) };
  const ratio = now / before;
  if (Math.abs(ratio - 1) < 0.05) return SAME;
  const text = ratio >= 3 ? words.times(ratio >= 100 ? '>99' : ratio.toFixed(1)) : signed(ratio - 1);
  return { text, verdict: verdictOf(ratio - 1, aim) };
}

/** Change of a success rate in percentage points; below 0.005 points it is steady. */
export function compareRate(now: number | null, before: number | null): Change {
  if (now === null || before === null) return NOTHING;
  const points = (now - before) * 100;
  if (Math.abs(points) < 0.005) return SAME;
  const sign = points > 0 ? '+' : '−';
  return {
    text: words.points(`${sign}${Math.abs(points).toFixed(2)}`),
    verdict: verdictOf(points, 'higher'),
  };
}

/** @param before the figure of the span before, as text */
export function changeText({ text, verdict }: Change, before: string): string {
  if (verdict === 'none') return text;
  const change = words.was(text, before);
  if (verdict === 'better') return words.better(change);
  return verdict === 'worse' ? words.worse(change) : change;
}

function signed(change: number): string {
  return `${change > 0 ? '+' : '−'}${formatShare(Math.abs(change))}`;
}

function verdictOf(change: number, aim: Aim): Change['verdict'] {
  if (aim === 'neither') return 'moved';
  return change > 0 === (aim === 'higher') ? 'better' : 'worse';
}
