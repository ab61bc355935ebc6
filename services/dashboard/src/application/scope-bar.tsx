/*
 * What the whole page is narrowed to: where requests were made. Values are offered as far as the page knows them.
 */
import { type SubmitEvent, useId, useState } from 'react';
import {
  hasScopes,
  NO_SCOPES,
  SCOPE_LABELS,
  type Scope,
  type ScopeFilters,
  SCOPES,
  toggleValue,
} from '../page-state.js';
import { Chip } from './chip.js';

export type KnownValues = Readonly<Record<Scope, readonly string[]>>;

type Props = {
  readonly scopes: ScopeFilters;
  readonly known: KnownValues;
  readonly onScopes: (scopes: ScopeFilters) => void;
};

export function ScopeBar({ scopes, known, onScopes }: Props) {
  return (
    <div className="scope-bar" data-testid="scope-bar">
      {SCOPES.flatMap((scope) =>
        scopes[scope].map((value) => (
          <Chip
            key={`${scope} ${value}`}
            label={SCOPE_LABELS[scope]}
            value={value}
            onRemove={() => {
              onScopes({ ...scopes, [scope]: toggleValue(scopes[scope], value) });
            }}
          />
        )),
      )}
      {hasScopes(scopes) && (
        <button
          type="button"
          className="link"
          onClick={() => {
            onScopes(NO_SCOPES);
          }}
        >
          Clear
        </button>
      )}
      <AddFilter scopes={scopes} known={known} onScopes={onScopes} />
    </div>
  );
}

function AddFilter({ scopes, known, onScopes }: Props) {
  const [open, setOpen] = useState(false);
  const [scope, setScope] = useState<Scope>('interface');
  const [value, setValue] = useState('');
  const id = useId();
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const wanted = value.trim();
    if (wanted !== '' && !scopes[scope].includes(wanted))
      onScopes({ ...scopes, [scope]: toggleValue(scopes[scope], wanted) });
    setValue('');
    setOpen(false);
  };
  if (!open) {
    return (
      <button
        type="button"
        className="button"
        data-testid="add-filter"
        onClick={() => {
          setOpen(true);
        }}
      >
        + Filter
      </button>
    );
  }
  return (
    <form
      className="add-filter"
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === 'Escape') setOpen(false);
      }}
      aria-label="Narrow the page"
    >
      <select
        aria-label="What to narrow by"
        value={scope}
        autoFocus
        onChange={(event) => {
          setScope(SCOPES.find((one) => one === event.target.value) ?? 'interface');
          setValue('');
        }}
      >
        {SCOPES.map((one) => (
          <option key={one} value={one}>
            {SCOPE_LABELS[one]}
          </option>
        ))}
      </select>
      <input
        list={`${id}-known`}
        aria-label={SCOPE_LABELS[scope]}
        maxLength={128}
        autoComplete="off"
        placeholder={known[scope][0] ?? 'value'}
        value={value}
        onChange={(event) => {
          setValue(event.target.value);
        }}
      />
      <datalist id={`${id}-known`}>
        {known[scope].map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <button type="submit" className="button primary">
        Add
      </button>
      <button
        type="button"
        className="button"
        onClick={() => {
          setOpen(false);
        }}
      >
        Cancel
      </button>
    </form>
  );
}
