/*
 * How complete the answer is, said in the header of every page; loud only when somebody should look.
 */
import type { Answer } from '@imscope/schemas/query-api/answers.js';
import { completenessWords } from '../words/completeness-text.js';
import { formatSpan } from '../words/format-time.js';
import { useNow } from '../state/use-now.js';

/** Where nothing comes the watermark goes with the collectors' accounts, once a minute: two did not come. */
const STANDSTILL_MS = 150_000;

export type AnswerEnvelope = Pick<Answer<unknown>, 'window' | 'completeness'>;
type Props = { readonly answer: AnswerEnvelope | null; readonly live: boolean };

export function CompletenessNote({ answer, live }: Props) {
  const now = useNow();
  if (answer === null) return <p className="freshness" />;
  const { window, completeness } = answer;
  const { text, meaning, loud } = completenessWords(completeness, Date.parse(window.to), now);
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
        <strong className="warn"> · nothing new stored for {formatSpan(lagMs)}</strong>
      )}
    </p>
  );
}
