/*
 * A headline figure against the span before: how far it moved, and whether that is good news. Movements too small
 * to mean anything read "steady", so that a calm page stays calm.
 */
import { formatShare } from './format-number.js';

export type Change = {
  readonly text: string;
  readonly verdict: 'better' | 'worse' | 'moved' | 'same' | 'none';
};
export type Wish = 'higher' | 'lower' | 'neither';

const NOTHING: Change = { text: 'nothing before to compare with', verdict: 'none' };
const SAME: Change = { text: 'steady', verdict: 'same' };

/** Relative change of a count or a duration; below 5 % it is steady. */
export function compareAmount(now: number | null, before: number | null, wish: Wish): Change {
  if (now === null || before === null) return NOTHING;
  if (before === 0) return now === 0 ? SAME : { text: 'from none', verdict: verdictOf(1, wish) };
  const ratio = now / before;
  if (Math.abs(ratio - 1) < 0.05) return SAME;
  const text = ratio >= 3 ? `${ratio >= 100 ? '>99' : ratio.toFixed(1)} times` : signed(ratio - 1);
  return { text, verdict: verdictOf(ratio - 1, wish) };
}

/** Change of a success rate in percentage points; below 0.005 points it is steady. */
export function compareRate(now: number | null, before: number | null): Change {
  if (now === null || before === null) return NOTHING;
  const points = (now - before) * 100;
  if (Math.abs(points) < 0.005) return SAME;
  const sign = points > 0 ? '+' : '−';
  return { text: `${sign}${Math.abs(points).toFixed(2)} points`, verdict: verdictOf(points, 'higher') };
}

function signed(change: number): string {
  return `${change > 0 ? '+' : '−'}${formatShare(Math.abs(change))}`;
}

function verdictOf(change: number, wish: Wish): Change['verdict'] {
  if (wish === 'neither') return 'moved';
  return change > 0 === (wish === 'higher') ? 'better' : 'worse';
}
