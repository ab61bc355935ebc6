/*
 * What differs between two states, field by field.
 */
import type { Difference } from '@imscope/schemas/registry-api/application.js';
import { registryTexts } from '../../words/registry-texts.js';
import { fieldOf } from './draft.js';
import type { FieldPath } from './field-schema.js';

type Props = {
  readonly differences: readonly Difference[];
  /** Fields that are marked, with the mark. */
  readonly marked?: { readonly fields: ReadonlySet<FieldPath>; readonly text: string };
};

export function DifferencesList({ differences, marked }: Props) {
  if (differences.length === 0) return <p className="quiet">{registryTexts.history.same}</p>;
  return (
    <dl className="differences" data-testid="differences" data-value={differences.length}>
      {differences.map((one) => {
        const field = fieldOf(one.path);
        const isMarked = field !== undefined && marked?.fields.has(field) === true;
        return (
          <div key={one.path} data-testid={`difference-${one.path}`}>
            <dt>
              {labelOf(one.path, field)} {isMarked && <strong className="warn">{marked.text}</strong>}
            </dt>
            {one.before !== undefined && (
              <dd className="removed" aria-label={registryTexts.save.before}>
                {shown(one.before)}
              </dd>
            )}
            {one.after !== undefined && (
              <dd className="added" aria-label={registryTexts.save.after}>
                {shown(one.after)}
              </dd>
            )}
          </div>
        );
      })}
    </dl>
  );
}

/** The field's name, and where within it. */
function labelOf(pointer: string, field: FieldPath | undefined): string {
  if (field === undefined) return pointer.slice(1).replaceAll('/', ' › ');
  const within = pointer.slice(field.length + 1);
  const steps = within.split('/').filter((step) => step !== '');
  const columns: Readonly<Record<string, string>> = registryTexts.column;
  const names = steps.map((step) =>
    /^\d+$/.test(step) && field !== 'settings.codes'
      ? `#${(Number(step) + 1).toString()}`
      : (columns[step] ?? step),
  );
  return [registryTexts.field[field].label, ...names].join(' › ');
}

function shown(value: unknown): string {
  if (value === null) return registryTexts.notSet;
  if (value === true) return registryTexts.yes;
  if (value === false) return registryTexts.no;
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(', ') || '[]';
  if (typeof value === 'string') return value === '' ? registryTexts.empty : value;
  return JSON.stringify(value);
}
