/*
 * A filter in force, and the way out of it.
 */
type Props = { readonly label: string; readonly value: string; readonly onRemove: () => void };

export function Chip({ label, value, onRemove }: Props) {
  return (
    <span className="chip">
      <span className="dim">{label}</span> <code>{value}</code>
      <button
        type="button"
        aria-label={`Remove the filter ${label} ${value}`}
        title="Remove"
        onClick={onRemove}
      >
        ×
      </button>
    </span>
  );
}
