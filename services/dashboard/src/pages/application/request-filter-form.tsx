/*
 * Filters of the list of requests. A field takes effect on Enter or when it loses focus, so that typing does not ask the
 * store once a letter.
 */
import { OUTCOMES } from '@imscope/schemas/outcome.js';
import { type ReactNode, type SubmitEvent, useId, useState } from 'react';
import { hasRequestFilters, NO_REQUEST_FILTERS, type RequestFilters } from '../../state/page-state.js';
import { Chip } from '../../parts/chip.js';
import { texts } from '../../words/texts.js';

/** Nothing is sent: each field takes effect by itself. */
function ignoreSubmit(event: SubmitEvent<HTMLFormElement>): void {
  event.preventDefault();
}

type Props = {
  readonly filters: RequestFilters;
  readonly onFilters: (filters: Partial<RequestFilters>) => void;
};

export function RequestFilterForm({ filters, onFilters }: Props) {
  return (
    <form className="request-filters" onSubmit={ignoreSubmit} aria-label={texts.request.filter.form}>
      <OutcomeField filters={filters} onFilters={onFilters} />
      <TextField
        label={texts.request.filter.code}
        placeholder={texts.request.filter.codePlaceholder}
        value={filters.code.join(', ')}
        pattern="(none|-?[0-9]{1,10})([ ,]+(none|-?[0-9]{1,10}))*"
        testId="filter-code"
        hint={texts.request.filter.codeHint}
        onCommit={(text) => {
          onFilters({ code: text.split(/[ ,]+/).filter((code) => code !== '') });
        }}
      />
      <TextField
        label={texts.request.filter.latency}
        placeholder={texts.request.filter.any}
        value={filters.latencyMsMin?.toString() ?? ''}
        pattern="[0-9]{1,8}(\.[0-9]+)?"
        testId="filter-latency"
        hint={texts.request.filter.latencyHint}
        onCommit={(text) => {
          onFilters({ latencyMsMin: text === '' || Number(text) === 0 ? null : Number(text) });
        }}
      />
      <TextField
        label={texts.request.filter.requestId}
        placeholder={texts.request.filter.requestIdPlaceholder}
        value={filters.requestId}
        testId="filter-request-id"
        wide
        hint={texts.request.filter.requestIdHint}
        onCommit={(requestId) => {
          onFilters({ requestId });
        }}
      />
      <FilterChips filters={filters} onFilters={onFilters} />
      {hasRequestFilters(filters) && (
        <button
          type="button"
          className="link"
          onClick={() => {
            onFilters(NO_REQUEST_FILTERS);
          }}
        >
          {texts.list.clear}
        </button>
      )}
    </form>
  );
}

/** Filters that rows of other panels set; they have no field. */
function FilterChips({ filters, onFilters }: Props): ReactNode {
  return (
    <>
      {filters.interface.map((name) => (
        <Chip
          key={`interface ${name}`}
          label={texts.request.filter.interface}
          value={name}
          onRemove={() => {
            onFilters({ interface: filters.interface.filter((one) => one !== name) });
          }}
        />
      ))}
      {filters.exception.map((name) => (
        <Chip
          key={`exception ${name}`}
          label={texts.request.filter.exception}
          value={name === '' ? texts.request.filter.noException : name}
          onRemove={() => {
            onFilters({ exception: filters.exception.filter((one) => one !== name) });
          }}
        />
      ))}
    </>
  );
}

function OutcomeField({ filters, onFilters }: Props): ReactNode {
  const id = useId();
  const several = filters.outcome.length > 1;
  return (
    <div className="field">
      <label htmlFor={id}>{texts.request.filter.outcome}</label>
      <select
        id={id}
        data-testid="filter-outcome"
        value={several ? 'several' : (filters.outcome[0] ?? '')}
        onChange={(event) => {
          onFilters({ outcome: OUTCOMES.filter((outcome) => outcome === event.target.value) });
        }}
      >
        <option value="">{texts.request.filter.any}</option>
        {several && (
          <option value="several">
            {filters.outcome.map((outcome) => texts.figure.outcome[outcome]).join(', ')}
          </option>
        )}
        {OUTCOMES.map((outcome) => (
          <option key={outcome} value={outcome}>
            {texts.figure.outcome[outcome]}
          </option>
        ))}
      </select>
    </div>
  );
}

type TextFieldProps = {
  readonly label: string;
  readonly placeholder: string;
  readonly hint: string;
  readonly value: string;
  readonly pattern?: string;
  readonly wide?: boolean;
  readonly testId: string;
  readonly onCommit: (text: string) => void;
};

function TextField({
  label,
  placeholder,
  hint,
  value,
  pattern,
  wide = false,
  testId,
  onCommit,
}: TextFieldProps) {
  const id = useId();
  const [draft, setDraft] = useState<string | null>(null);
  return (
    <div className={wide ? 'field wide' : 'field'}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="text"
        autoComplete="off"
        spellCheck={false}
        maxLength={128}
        placeholder={placeholder}
        title={hint}
        data-testid={testId}
        value={draft ?? value}
        {...(pattern === undefined ? {} : { pattern })}
        onChange={(event) => {
          setDraft(event.target.value);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') setDraft(null);
          // Browsers do not submit a form of several fields without a submit button. Leaving the field commits it.
          if (event.key === 'Enter') event.currentTarget.blur();
        }}
        onBlur={(event) => {
          if (draft === null || !event.target.checkValidity()) return;
          setDraft(null);
          onCommit(draft.trim());
        }}
      />
    </div>
  );
}
