/*
 * An active filter, with a button that removes it.
 */
import { texts } from '../words/texts.js';

type Props = { readonly label: string; readonly value: string; readonly onRemove: () => void };

export function Chip({ label, value, onRemove }: Props) {
  return (
    <span className="chip">
      <span className="dim">{label}</span> <code>{value}</code>
      <button
        type="button"
        aria-label={texts.list.removeFilter(label, value)}
        title={texts.list.remove}
        onClick={onRemove}
      >
        ×
      </button>
    </span>
  );
}
