/*
 * A list of objects as a table of inputs: objectives, certificates, custom fields.
 */
import type { DescribedSchema } from '@imscope/schemas/registry-api/allowed-values.js';
import { registryTexts } from '../../words/registry-texts.js';
import { type InputRow, newRow } from './field-input.js';
import { choicesOf, type Column, columnsOf, kindOf } from './field-schema.js';

type Props = {
  readonly id: string;
  readonly label: string;
  readonly schema: DescribedSchema;
  readonly rows: readonly InputRow[];
  /** Where a value is to correct. */
  readonly faultAt: { readonly row?: number; readonly column?: string } | undefined;
  readonly isDisabled: boolean;
  readonly onRows: (rows: readonly InputRow[]) => void;
};

export function RowsField({ id, label, schema, rows, faultAt, isDisabled, onRows }: Props) {
  const columns = columnsOf(schema);
  const isFull = rows.length >= (schema.maxItems ?? Infinity);
  const change = (row: number, name: string, input: string | boolean): void => {
    onRows(rows.map((one, index) => (index === row ? { ...one, [name]: input } : one)));
  };
  return (
    <div className="rows-field">
      {rows.length > 0 && (
        <div className="scroll-x">
          <table>
            <thead>
              <tr>
                {columns.map(({ name }) => (
                  <th key={name} scope="col">
                    {registryTexts.column[name]}
                  </th>
                ))}
                <th />
              </tr>
            </thead>
            <tbody>
              {rows.map((row, index) => (
                <tr key={index}>
                  {columns.map((column) => (
                    <td key={column.name}>
                      <Cell
                        label={registryTexts.cell(label, registryTexts.column[column.name], index + 1)}
                        column={column}
                        input={row[column.name] ?? ''}
                        isDisabled={isDisabled}
                        isFaulty={faultAt?.row === index && faultAt.column === column.name}
                        onInput={(input) => {
                          change(index, column.name, input);
                        }}
                      />
                    </td>
                  ))}
                  <td>
                    <RemoveButton
                      label={registryTexts.removeRow(label, index + 1)}
                      isDisabled={isDisabled}
                      onRemove={() => {
                        onRows(rows.filter((_, other) => other !== index));
                      }}
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <button
        id={id}
        type="button"
        className="button"
        disabled={isDisabled || isFull}
        onClick={() => {
          onRows([...rows, newRow(schema)]);
        }}
      >
        {registryTexts.addRow}
      </button>
    </div>
  );
}

type RemoveProps = { readonly label: string; readonly isDisabled: boolean; readonly onRemove: () => void };

function RemoveButton({ label, isDisabled, onRemove }: RemoveProps) {
  return (
    <button type="button" className="button icon" disabled={isDisabled} aria-label={label} onClick={onRemove}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="M4 4l8 8M12 4l-8 8" />
      </svg>
    </button>
  );
}

type CellProps = {
  readonly label: string;
  readonly column: Column;
  readonly input: string | boolean;
  readonly isDisabled: boolean;
  readonly isFaulty: boolean;
  readonly onInput: (input: string | boolean) => void;
};

function Cell({ label, column: { schema }, input, isDisabled, isFaulty, onInput }: CellProps) {
  const common = { disabled: isDisabled, 'aria-label': label, 'aria-invalid': isFaulty };
  const kind = kindOf(schema);
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
  if (kind === 'choice') {
    return (
      <select
        {...common}
        value={input}
        onChange={(event) => {
          onInput(event.target.value);
        }}
      >
        {choicesOf(schema).map((choice) => (
          <option key={choice} value={choice}>
            {choice.replaceAll('_', ' ')}
          </option>
        ))}
      </select>
    );
  }
  return (
    <input
      {...common}
      type="text"
      autoComplete="off"
      spellCheck={false}
      inputMode={kind === 'number' ? 'decimal' : 'text'}
      value={input}
      onChange={(event) => {
        onInput(event.target.value);
      }}
    />
  );
}
