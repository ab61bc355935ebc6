/*
 * How complete the answer is, in the header of every page; loud only when somebody should look.
 */
import type { Answer } from '@imscope/schemas/query-api/envelope.js';
import { completenessText } from '../words/completeness-text.js';
import { formatSpan } from '../words/format-time.js';
import { texts } from '../words/texts.js';
import { useNow } from '../state/use-now.js';

/** Without traffic the watermark moves with the collectors' accounts, once a minute: two are missing. */
const STANDSTILL_MS = 150_000;

export type AnswerEnvelope = Pick<Answer<unknown>, 'window' | 'completeness'>;
type Props = { readonly answer: AnswerEnvelope | null; readonly live: boolean };

export function CompletenessNote({ answer, live }: Props) {
  const now = useNow();
  if (answer === null) return <p className="freshness" />;
  const { window, completeness } = answer;
  const { text, meaning, loud } = completenessText(completeness, Date.parse(window.to), now);
  const { watermark } = completeness;
  const lagMs = live && watermark !== null ? now - Date.parse(watermark) : 0;
  return (
    <p className="freshness" data-testid="completeness" data-value={completeness.status}>
      {loud ? (
        <strong className="warn" title={meaning}>
          {text}
        </strong>
      ) : (
        <span title={meaning}>{text}</span>
      )}
      {lagMs > STANDSTILL_MS && (
        <strong className="warn">{texts.header.standstill(formatSpan(lagMs))}</strong>
      )}
    </p>
  );
}
