/*
 * How many entries the bound of a list in an answer left out. Nothing where the list is complete.
 */
type Props = {
  readonly count: number;
  /** The sentence about them. */
  readonly text: (count: number, why: string) => string;
  /** Which entries are listed, as the end of the sentence. */
  readonly why: string;
};

export function LeftOutNote({ count, text, why }: Props) {
  if (count === 0) return null;
  return (
    <p className="quiet left-out" data-testid="left-out" data-value={count}>
      {text(count, why)}
    </p>
  );
}
