/*
 * The refused records of one application.
 */
import type { StateOf } from '../../api/use-answer.js';
import { ReasonList, RefusalsNotice } from '../../parts/refusals-notice.js';
import { texts } from '../../words/texts.js';

export function ApplicationRefusals({ state }: { readonly state: StateOf<'refusals'> }) {
  return (
    <RefusalsNotice state={state} reasonsOf={({ reasons }) => reasons} text={texts.refusal.ofApplication}>
      {({ reasons }) => <ReasonList reasons={reasons} />}
    </RefusalsNotice>
  );
}
