/*
 * One line above the figures of an application whose successes were sampled.
 */
import type { Window } from '@imscope/schemas/query-api/envelope.js';
import { useNow } from '../../state/use-now.js';
import { sourceText } from '../../words/source-text.js';

export function SourceNote({ window }: { readonly window: Window | null }) {
  const now = useNow();
  const text = window === null ? null : sourceText(window, now);
  if (window === null || text === null) return null;
  return (
    <p className="quiet" data-testid="source-note" data-value={window.source}>
      {text}
    </p>
  );
}
