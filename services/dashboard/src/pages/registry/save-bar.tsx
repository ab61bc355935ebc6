/*
 * The bar at the bottom while there are unsaved changes.
 */
import { registryTexts } from '../../words/registry-texts.js';
import type { Draft } from './draft.js';

type Props = { readonly draft: Draft; readonly onReview: () => void; readonly onDiscard: () => void };

export function SaveBar({ draft, onReview, onDiscard }: Props) {
  const words = registryTexts.save;
  const { faults, changed } = draft;
  const [faulty] = faults.keys();
  return (
    <section className="save-bar" aria-label={words.bar} data-testid="save-bar" data-value={changed.length}>
      <p role="status">
        {words.unsaved(changed.length)}
        {faulty !== undefined && (
          <>
            {' · '}
            <span className="bad">{words.faulty(faults.size)}</span>{' '}
            <button
              type="button"
              className="link"
              onClick={() => {
                showField(faulty);
              }}
            >
              {words.showFault}
            </button>
          </>
        )}
      </p>
      <button type="button" className="button" data-testid="discard" onClick={onDiscard}>
        {words.discard}
      </button>
      <button
        type="button"
        className="button primary"
        disabled={faulty !== undefined}
        data-testid="review"
        onClick={onReview}
      >
        {words.review}
      </button>
    </section>
  );
}

function showField(path: string): void {
  const field = document.querySelector(`[data-testid="field-${path}"]`);
  field?.scrollIntoView({ block: 'center' });
  field?.querySelector<HTMLElement>('[aria-invalid="true"], input, select, textarea, button')?.focus();
}
