/*
 * A panel with one list of the registry, page by page: its title, its states, the rows, and the buttons that turn pages.
 */
import type { ReactNode } from 'react';
import type { AnswerState } from '../../api/use-answer.js';
import { Failure, Skeleton } from '../../parts/panel.js';
import { Paging } from './paging.js';

type Props<A> = {
  /** Of the section, and the beginning of the buttons' test ids. */
  readonly name: string;
  readonly words: {
    readonly title: string;
    readonly none: string;
    readonly table: string;
    readonly pages: string;
  };
  readonly state: AnswerState<A>;
  readonly isEmpty: (answer: A) => boolean;
  /** Rows to show while the first page is read. */
  readonly skeletonRows: number;
  /** As in `Paging`. */
  readonly starts: readonly string[];
  readonly onStarts: (starts: readonly string[]) => void;
  /** The table of an answer that is not empty. */
  readonly table: (answer: A) => ReactNode;
};

export function PagedPanel<A extends { readonly next: string | null }>(props: Props<A>) {
  const { name, words, state, isEmpty, skeletonRows, starts, onStarts, table } = props;
  const { answer, error, stale } = state;
  return (
    <section id={name} className="panel" aria-label={words.title} data-testid={name}>
      <header className="panel-head">
        <h2>{words.title}</h2>
      </header>
      {error !== null && <Failure error={error} state={state} />}
      {answer === null
        ? error === null && <Skeleton rows={skeletonRows} />
        : isEmpty(answer) && <p className="quiet">{words.none}</p>}
      {answer !== null && !isEmpty(answer) && (
        <div
          className={`scroll-x ${stale ? 'stale' : ''}`}
          aria-busy={stale}
          tabIndex={0}
          role="region"
          aria-label={words.table}
        >
          {table(answer)}
        </div>
      )}
      {answer !== null && (
        <Paging label={words.pages} name={name} starts={starts} next={answer.next} onStarts={onStarts} />
      )}
    </section>
  );
}
