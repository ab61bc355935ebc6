/*
 * How far the data reaches and how complete it is, said with every answer; loud only when there is reason.
 */
import type { Completeness } from '@imscope/schemas/query-api/answers.js';
import { formatClock, formatSpan, formatUtc } from './format-time.js';
import { formatShare } from './format-number.js';
import { useNow } from './use-now.js';

/**
 * The watermark is that of the partition furthest behind, and a partition without traffic stands still for up to ten
 * minutes before it is left out. Only what is older tells that nothing new is stored at all.
 */
const SILENCE_MS_MAX = 660_000;

type Props = { readonly completeness: Completeness | null; readonly live: boolean };

export function CompletenessNote({ completeness, live }: Props) {
  const now = useNow();
  if (completeness === null) return <p className="freshness" />;
  const { watermark, silent_collectors: silent } = completeness;
  const watermarkMs = watermark === null ? null : Date.parse(watermark);
  const lagMs = live && watermarkMs !== null ? now - watermarkMs : 0;
  const silentStore = lagMs > SILENCE_MS_MAX;
  return (
    <p className="freshness" data-testid="completeness" data-value={completeness.status}>
      {watermarkMs === null ? (
        <span>no data stored yet</span>
      ) : (
        <span title={`Everything handed in up to ${formatUtc(watermarkMs)} is stored and counted here`}>
          data up to <time dateTime={watermark ?? ''}>{formatClock(watermarkMs, now)}</time>
        </span>
      )}
      {silentStore && <strong className="warn"> · nothing new stored for {formatSpan(lagMs)}</strong>}
      <span> · {wordsFor(completeness)}</span>
      {silent.length > 0 && (
        <strong className="warn" title={silent.join(', ')}>
          {' '}
          · silent: {silent.slice(0, 2).join(', ')}
          {silent.length > 2 ? ` and ${(silent.length - 2).toString()} more` : ''}
        </strong>
      )}
    </p>
  );
}

function wordsFor({ status, ratio }: Completeness) {
  if (status === 'complete') return 'complete';
  if (status === 'incomplete') {
    return (
      <strong className="warn">
        {ratio === null ? 'incomplete' : `only ${formatShare(ratio)} of it here`}
      </strong>
    );
  }
  return (
    <abbr title="What the collectors sent has not been balanced yet against what is stored">
      completeness not known yet
    </abbr>
  );
}
