/*
 * The buttons that turn the pages of a list.
 */
import { registryTexts } from '../../words/registry-texts.js';

const words = registryTexts.list;

type Props = {
  /** What the pages are of, and the beginning of the buttons' test ids. */
  readonly label: string;
  readonly name: string;
  /** Where each page that was turned to begins; the last is shown, empty: the first page. */
  readonly starts: readonly string[];
  readonly next: string | null;
  readonly onStarts: (starts: readonly string[]) => void;
};

export function Paging({ label, name, starts, next, onStarts }: Props) {
  if (starts.length === 0 && next === null) return null;
  return (
    <nav className="paging registry-paging" aria-label={label}>
      <button
        type="button"
        className="button"
        disabled={starts.length === 0}
        data-testid={`${name}-previous`}
        onClick={() => {
          onStarts(starts.slice(0, -1));
        }}
      >
        {words.previous}
      </button>
      <button
        type="button"
        className="button"
        disabled={next === null}
        data-testid={`${name}-next`}
        onClick={() => {
          if (next !== null) onStarts([...starts, next]);
        }}
      >
        {words.next}
      </button>
    </nav>
  );
}
