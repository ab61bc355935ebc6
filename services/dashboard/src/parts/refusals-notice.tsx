/*
 * The records that collectors refused, at the top of a page because no figure counts them. Unfolded it names each reason
 * with what to do about it. Nothing is shown where nothing was refused.
 */
import type { RefusalReason } from '@imscope/schemas/query-api/refusals.js';
import type { ReactNode } from 'react';
import type { AnswerState } from '../api/use-answer.js';
import { texts } from '../words/texts.js';
import { Count } from './figure.js';
import { Failure } from './panel.js';
import { leadingReasons } from './refusal-reasons.js';

type Props<T> = {
  readonly state: AnswerState<{ readonly data: T }>;
  readonly reasonsOf: (data: T) => readonly RefusalReason[];
  /** What follows the number of records. */
  readonly text: string;
  readonly children: (data: T) => ReactNode;
};

export function RefusalsNotice<T extends { readonly records: number }>({
  state,
  reasonsOf,
  text,
  children,
}: Props<T>) {
  const { answer, error, stale } = state;
  if (error !== null) return <Failure error={error} state={state} />;
  if (answer === null || answer.data.records === 0) return null;
  const { data } = answer;
  return (
    <details
      className={stale ? 'refusals stale' : 'refusals'}
      data-testid="refusals"
      data-value={data.records}
      aria-busy={stale}
    >
      <summary>
        <strong>
          <Count value={data.records} unit="records" /> {texts.refusal.record(data.records)}
        </strong>{' '}
        {text}: {leadingReasons(reasonsOf(data))}
      </summary>
      {children(data)}
      <p className="quiet">{texts.refusal.inLog}</p>
    </details>
  );
}

export function ReasonList({ reasons }: { readonly reasons: readonly RefusalReason[] }) {
  return (
    <ul className="refusal-reasons">
      {reasons.map(({ reason, records, meaning, advice }) => (
        <li key={reason} data-testid={`refusal-${reason}`} data-value={records}>
          <code>{reason}</code> <Count value={records} unit="records" />
          <p>
            {meaning} <span className="advice">{advice}</span>
          </p>
        </li>
      ))}
    </ul>
  );
}
