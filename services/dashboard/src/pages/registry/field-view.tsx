/*
 * One field of the form: its label, unit, bounds and help, checked as one types.
 */
import { useId } from 'react';
import { type FieldWords, registryTexts } from '../../words/registry-texts.js';
import type { FieldState } from './draft.js';
import { boundsText, type Input } from './field-input.js';
import { choicesOf, type FieldKind, type FieldPath, kindOf, schemaOf } from './field-schema.js';
import { RowsField } from './rows-field.js';

type Props = {
  readonly path: FieldPath;
  readonly state: FieldState;
  readonly fault: string | undefined;
  readonly onInput: (input: Input) => void;
  readonly onUndo: () => void;
  readonly isDisabled: boolean;
};

export function FieldView({ path, state, fault, onInput, onUndo, isDisabled }: Props) {
  const id = useId();
  const schema = schemaOf(path);
  const kind = kindOf(schema);
  const words: FieldWords = registryTexts.field[path];
  const isWide = kind === 'rows' || kind === 'longText' || kind === 'codes';
  const described = `${id}-help`;
  const help = [kind === 'number' ? boundsText(schema) : '', words.help].filter((text) => text !== '');
  const control = { id, path, isDisabled, described, isFaulty: fault !== undefined };
  return (
    <div
      className={`registry-field ${isWide ? 'wide' : ''} ${state.isChanged ? 'changed' : ''}`}
      data-testid={`field-${path}`}
      data-value={state.isChanged ? 'changed' : 'saved'}
    >
      <div className="field-head">
        <label htmlFor={id}>
          {words.label}
          {words.unit !== undefined && <small className="quiet"> {words.unit}</small>}
        </label>
        {state.isChanged && (
          <button
            type="button"
            className="link"
            aria-label={registryTexts.undoOf(words.label)}
            onClick={onUndo}
          >
            {registryTexts.undo}
          </button>
        )}
      </div>
      <Control {...control} kind={kind} state={state} onInput={onInput} />
      <p
        id={described}
        className={fault === undefined ? 'quiet' : 'bad'}
        role={fault === undefined ? undefined : 'alert'}
      >
        {fault ?? help.join('. ').replaceAll('..', '.')}
      </p>
    </div>
  );
}

type ControlProps = {
  readonly id: string;
  readonly path: FieldPath;
  readonly kind: FieldKind;
  readonly state: FieldState;
  readonly isDisabled: boolean;
  readonly isFaulty: boolean;
  readonly described: string;
  readonly onInput: (input: Input) => void;
};

function Control({ id, path, kind, state, isDisabled, isFaulty, described, onInput }: ControlProps) {
  const { input, parsed } = state;
  const schema = schemaOf(path);
  const common = { id, disabled: isDisabled, 'aria-invalid': isFaulty, 'aria-describedby': described };
  if (typeof input === 'boolean') {
    return (
      <input
        {...common}
        type="checkbox"
        checked={input}
        onChange={(event) => {
          onInput(event.target.checked);
        }}
      />
    );
  }
  if (typeof input !== 'string') {
    return (
      <RowsField
        id={id}
        label={registryTexts.field[path].label}
        schema={schema}
        rows={input}
        faultAt={parsed.ok ? undefined : parsed}
        isDisabled={isDisabled}
        onRows={onInput}
      />
    );
  }
  const onChange = (event: { readonly target: { readonly value: string } }): void => {
    onInput(event.target.value);
  };
  if (kind === 'choice') {
    return (
      <select {...common} value={input} onChange={onChange}>
        {choicesOf(schema).map((choice) => (
          <option key={choice} value={choice}>
            {choice.replaceAll('_', ' ')}
          </option>
        ))}
      </select>
    );
  }
  if (kind === 'text' || kind === 'number') {
    return (
      <input
        {...common}
        type="text"
        inputMode={kind === 'number' ? 'decimal' : 'text'}
        autoComplete="off"
        spellCheck={false}
        placeholder={registryTexts.notSet}
        value={input}
        onChange={onChange}
      />
    );
  }
  const rows = kind === 'lines' ? Math.min(6, Math.max(2, input.split('\n').length)) : 3;
  return (
    <textarea {...common} rows={rows} spellCheck={kind === 'longText'} value={input} onChange={onChange} />
  );
}
