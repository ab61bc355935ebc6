/*
 * The frame of each part of a page. A part that fails shows the stable code and a retry, keeps the data it had, and leaves
 * the rest of the page alone. The first load shows a skeleton of the size to come.
 */
import type { AskError } from '@imscope/schemas/query-api/ask.js';
import { type ReactNode, useId } from 'react';
import type { AnswerState } from '../api/use-answer.js';
import { failureText } from '../words/failure-text.js';
import { formatClock } from '../words/format-time.js';
import { texts } from '../words/texts.js';

type PanelProps<T> = {
  readonly title: string;
  readonly state: AnswerState<{ readonly data: T }>;
  readonly children: (data: T) => ReactNode;
  /** Beside the title, once there is data. */
  readonly note?: ReactNode;
  readonly skeletonRows: number;
  readonly testId: string;
  readonly className?: string;
};

export function Panel<T>({
  title,
  state,
  children,
  note,
  skeletonRows,
  testId,
  className = '',
}: PanelProps<T>) {
  const heading = useId();
  const { answer, error, stale } = state;
  return (
    <section className={`panel ${className}`} aria-labelledby={heading} data-testid={testId}>
      <header className="panel-head">
        <h2 id={heading}>{title}</h2>
        {answer !== null && note}
      </header>
      {error !== null && <Failure error={error} state={state} />}
      {answer === null ? (
        error === null && <Skeleton rows={skeletonRows} />
      ) : (
        <div className={stale ? 'stale' : undefined} aria-busy={stale}>
          {children(answer.data)}
        </div>
      )}
    </section>
  );
}

type FailureState = Pick<AnswerState<unknown>, 'answer' | 'receivedAtMs' | 'retry'>;

export function Failure({ error, state }: { readonly error: AskError; readonly state: FailureState }) {
  const { answer, receivedAtMs, retry } = state;
  return (
    <div className="notice bad" role="alert" data-testid="failure" data-value={error.code}>
      <p>
        <code>{error.code}</code> {failureText(error)}
        {answer !== null && texts.failure.shownBelow(formatClock(receivedAtMs, Date.now()))}
      </p>
      <button type="button" className="button" onClick={retry}>
        {texts.failure.tryAgain}
      </button>
    </div>
  );
}

export function Skeleton({ rows }: { readonly rows: number }) {
  return (
    <div className="skeleton" aria-busy="true" aria-label={texts.list.loading}>
      {Array.from({ length: rows }, (_, row) => (
        <i key={row} />
      ))}
    </div>
  );
}

export function Empty({ children }: { readonly children: ReactNode }) {
  return <div className="empty">{children}</div>;
}
