/*
 * The head of a sortable column: a button, with the order in `aria-sort` for screen readers.
 */
import type { Sort } from '../state/page-state.js';

type Props = {
  readonly column: string;
  readonly label: string;
  readonly sort: Sort | null;
  /** First click: greatest on top, unless the column reads better the other way. */
  readonly first?: 'descending' | 'ascending';
  readonly numeric?: boolean;
  readonly title?: string;
  readonly onSort: (sort: Sort | null) => void;
};

export function SortHeader({
  column,
  label,
  sort,
  first = 'descending',
  numeric = true,
  title,
  onSort,
}: Props) {
  const active = sort?.column === column ? sort : null;
  const order = active === null ? 'none' : active.descending ? 'descending' : 'ascending';
  const turn = (): void => {
    if (active === null) onSort({ column, descending: first === 'descending' });
    // Third click: back to the page's own order.
    else if (order === first) onSort({ column, descending: !active.descending });
    else onSort(null);
  };
  return (
    <th scope="col" role="columnheader" className={numeric ? 'number' : undefined} aria-sort={order}>
      <button type="button" className="sort" title={title} onClick={turn}>
        {label}
        <span className="arrow" aria-hidden="true">
          {order === 'none' ? '' : order === 'descending' ? '↓' : '↑'}
        </span>
      </button>
    </th>
  );
}
