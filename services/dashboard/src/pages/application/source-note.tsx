/*
 * One line above the figures of an application whose successes were sampled.
 */
import type { Window } from '@imscope/schemas/query-api/answers.js';
import { useNow } from '../../state/use-now.js';
import { sourceWords } from '../../words/source-text.js';

export function SourceNote({ window }: { readonly window: Window | null }) {
  const now = useNow();
  const words = window === null ? null : sourceWords(window, now);
  if (window === null || words === null) return null;
  return (
    <p className="quiet" data-testid="source-note" data-value={window.source}>
      {words}
    </p>
  );
}
