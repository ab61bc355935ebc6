/*
 * An outcome as a word with a mark of its own shape and tone.
 */
import type { Outcome } from '@imscope/schemas/outcome.js';
import { texts } from '../words/texts.js';

const TONES: Readonly<Record<Outcome, string>> = {
  success: 'good',
  caller_error: 'caller',
  service_error: 'bad',
  unknown: 'dim',
};

export function OutcomeLabel({ outcome }: { readonly outcome: Outcome }) {
  return (
    <span className={`outcome ${TONES[outcome]}`}>
      <i className={`mark ${outcome}`} aria-hidden="true" />
      {texts.figure.outcome[outcome]}
    </span>
  );
}
