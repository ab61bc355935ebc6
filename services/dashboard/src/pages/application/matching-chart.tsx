/*
 * The requests that the filters of the list leave, over time: their number, and a small chart.
 */
import { useMemo } from 'react';
import { toBuckets } from '../../charts/buckets.js';
import { formatCount } from '../../words/format-number.js';
import { formatMinute } from '../../words/format-time.js';
import { texts } from '../../words/texts.js';
import type { StateOf } from '../../api/use-answer.js';

const WIDTH = 1000;
const HEIGHT = 44;

export function MatchingChart({ state }: { readonly state: StateOf<'timeseries'> }) {
  const { answer, stale } = state;
  const buckets = useMemo(() => (answer === null ? [] : toBuckets(answer.data, answer.window)), [answer]);
  const total = answer === null ? null : answer.data.reduce((sum, { requests }) => sum + requests, 0);
  const max = Math.max(1, ...buckets.map(({ requests }) => requests));
  const slot = WIDTH / Math.max(buckets.length, 1);
  const first = buckets[0];
  const last = buckets.at(-1);
  const now = Date.now();
  // Unknown until the answer is there: no number is shown before.
  if (total === null) return <figure className="matching" aria-busy="true" />;
  const words = texts.application.matching;
  const label = words.label(total, total === 0 ? '' : words.most(max));
  return (
    <figure className={stale ? 'matching stale' : 'matching'} data-testid="matching" data-value={total}>
      <svg
        viewBox={`0 0 ${WIDTH.toString()} ${HEIGHT.toString()}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={label}
      >
        {buckets.map(({ fromS, requests }, index) => {
          const height = requests === 0 ? 0 : Math.max((requests / max) * HEIGHT, 1.5);
          return (
            <rect
              key={fromS}
              x={index * slot + slot * 0.08}
              width={slot * 0.84}
              y={HEIGHT - height}
              height={height}
            />
          );
        })}
      </svg>
      <figcaption className="quiet num">
        <span>{first === undefined ? '' : formatMinute(first.fromS * 1000, now)}</span>
        <strong>{words.inWindow(formatCount(total))}</strong>
        <span>{last === undefined ? '' : formatMinute(last.toS * 1000, now)}</span>
      </figcaption>
    </figure>
  );
}
