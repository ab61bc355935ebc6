/*
 * An outcome as a word with a mark of its own shape and tone.
 */
import type { Outcome } from '@imscope/schemas/outcome.js';

export const OUTCOME_LABELS: Readonly<Record<Outcome, string>> = {
  success: 'Success',
  caller_error: 'Caller error',
  service_error: 'Service error',
  unknown: 'Unknown',
};

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
      {OUTCOME_LABELS[outcome]}
    </span>
  );
}
