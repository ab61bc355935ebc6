/*
 * Says how many entries the bound of a list in an answer left out. Nothing where the list is complete.
 */
import { formatExact } from '../words/format-number.js';

type Props = {
  readonly count: number;
  readonly noun: string;
  /** Which entries are listed, as the end of the sentence. */
  readonly why: string;
};

export function LeftOutNote({ count, noun, why }: Props) {
  if (count === 0) return null;
  return (
    <p className="quiet left-out" data-testid="left-out" data-value={count}>
      {formatExact(count)} more {count === 1 ? `${noun} is` : `${noun}s are`} left out: {why}.
    </p>
  );
}
