/*
 * The filters of the page: where requests were made. It offers the values that the page knows.
 */
import { type KeyboardEvent, type SubmitEvent, useId, useState } from 'react';
import {
  hasScopes,
  NO_SCOPES,
  type Scope,
  type ScopeFilters,
  SCOPES,
  toggleValue,
} from '../../state/page-state.js';
import { texts } from '../../words/texts.js';
import { Chip } from '../../parts/chip.js';

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
            label={texts.figure.scope[scope]}
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
          {texts.list.clear}
        </button>
      )}
      <AddFilter scopes={scopes} known={known} onScopes={onScopes} />
    </div>
  );
}

function AddFilter(props: Props) {
  const [open, setOpen] = useState(false);
  if (open) {
    return (
      <AddFilterForm
        {...props}
        onClose={() => {
          setOpen(false);
        }}
      />
    );
  }
  return (
    <button
      type="button"
      className="button"
      data-testid="add-filter"
      onClick={() => {
        setOpen(true);
      }}
    >
      {texts.application.scope.add}
    </button>
  );
}

function AddFilterForm({ scopes, known, onScopes, onClose }: Props & { readonly onClose: () => void }) {
  const [scope, setScope] = useState<Scope>('interface');
  const [value, setValue] = useState('');
  const list = useId();
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const wanted = value.trim();
    if (wanted !== '' && !scopes[scope].includes(wanted)) {
      onScopes({ ...scopes, [scope]: toggleValue(scopes[scope], wanted) });
    }
    onClose();
  };
  const closeOnEscape = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') onClose();
  };
  return (
    <form
      className="add-filter"
      onSubmit={submit}
      onKeyDown={closeOnEscape}
      aria-label={texts.application.scope.form}
    >
      <ScopeSelect
        scope={scope}
        onScope={(next) => {
          setScope(next);
          setValue('');
        }}
      />
      <input
        list={list}
        aria-label={texts.figure.scope[scope]}
        maxLength={128}
        autoComplete="off"
        placeholder={known[scope][0] ?? texts.application.scope.value}
        value={value}
        onChange={(event) => {
          setValue(event.target.value);
        }}
      />
      <datalist id={list}>
        {known[scope].map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <button type="submit" className="button primary">
        {texts.application.scope.submit}
      </button>
      <button type="button" className="button" onClick={onClose}>
        {texts.application.scope.cancel}
      </button>
    </form>
  );
}

type ScopeSelectProps = { readonly scope: Scope; readonly onScope: (scope: Scope) => void };

function ScopeSelect({ scope, onScope }: ScopeSelectProps) {
  return (
    <select
      aria-label={texts.application.scope.what}
      value={scope}
      autoFocus
      onChange={(event) => {
        onScope(SCOPES.find((one) => one === event.target.value) ?? 'interface');
      }}
    >
      {SCOPES.map((one) => (
        <option key={one} value={one}>
          {texts.figure.scope[one]}
        </option>
      ))}
    </select>
  );
}
