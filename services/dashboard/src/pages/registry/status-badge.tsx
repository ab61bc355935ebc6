/*
 * The status of an application, as a word and a colour.
 */
import type { ApplicationStatus } from '@imscope/schemas/application-state.js';
import { registryTexts } from '../../words/registry-texts.js';

const TONES: Readonly<Record<ApplicationStatus, string>> = {
  active: 'good',
  suspended: 'warn',
  terminated: 'bad',
};

export function StatusBadge({ status }: { readonly status: ApplicationStatus }) {
  return (
    <span className={`badge ${TONES[status]}`} data-testid="status" data-value={status}>
      {registryTexts.status[status]}
    </span>
  );
}
