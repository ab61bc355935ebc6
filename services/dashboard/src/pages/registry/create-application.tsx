/*
 * The button that creates an application, its form, and the new application's key, which is shown this once.
 */
import { type RefObject, useId, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { asAskError } from '../../api/ask-service.js';
import { call } from '../../api/call-service.js';
import { useReadAgain } from '../../api/use-registry.js';
import { failureText } from '../../words/failure-text.js';
import { registryTexts } from '../../words/registry-texts.js';
import { ActionDialog } from './action-dialog.js';
import {
  faultOfNew,
  isNumberField,
  NEW_FIELDS,
  NEW_INPUTS,
  type NewField,
  newApplicationOf,
} from './new-application.js';
import { ShownOnce } from './shown-once.js';

const words = registryTexts.create;

type Created = { readonly id: number; readonly name: string; readonly key: string };

export function CreateApplication() {
  const [isOpen, setOpen] = useState(false);
  const [created, setCreated] = useState<Created | null>(null);
  const [, navigate] = useLocation();
  return (
    <>
      <button
        type="button"
        className="button primary"
        data-testid="new-application"
        onClick={() => {
          setOpen(true);
        }}
      >
        {words.open}
      </button>
      {isOpen && (
        <NewApplicationDialog
          onCreated={setCreated}
          onClose={() => {
            setOpen(false);
          }}
        />
      )}
      {created !== null && (
        <ShownOnce
          secret={created.key}
          about={words.keyOf(created.name, created.id)}
          onClose={() => {
            navigate(`/registry/${created.id.toString()}`);
          }}
        />
      )}
    </>
  );
}

type DialogProps = { readonly onCreated: (created: Created) => void; readonly onClose: () => void };

/** Why the registry refused the SDKAppID that was typed. */
type Taken = { readonly input: string; readonly why: string };

function NewApplicationDialog({ onCreated, onClose }: DialogProps) {
  const [inputs, setInputs] = useState(NEW_INPUTS);
  const [typed, setTyped] = useState<ReadonlySet<NewField>>(new Set());
  const [taken, setTaken] = useState<Taken | null>(null);
  const idInput = useRef<HTMLInputElement>(null);
  const readAgain = useReadAgain();
  const faultOf = (field: NewField): string | undefined =>
    field === 'sdk_app_id' && inputs[field] === taken?.input ? taken.why : faultOfNew(field, inputs[field]);
  const run = async (reason: string): Promise<void> => {
    try {
      const { application, key } = await call('createApplication', {
        body: newApplicationOf(inputs, reason),
      });
      onClose();
      onCreated({ id: application.sdk_app_id, name: application.details.name, key });
    } catch (error) {
      const failure = asAskError(error);
      if (failure.code !== 'already_exists') throw failure;
      setTaken({ input: inputs.sdk_app_id, why: failureText(failure) });
      idInput.current?.focus();
      return;
    }
    await readAgain();
  };
  return (
    <ActionDialog
      title={words.title}
      confirm={words.confirm}
      isBlocked={NEW_FIELDS.some((field) => faultOf(field) !== undefined)}
      run={run}
      onClose={onClose}
    >
      <div className="dialog-grid">
        {NEW_FIELDS.map((field) => (
          <Field
            key={field}
            field={field}
            input={inputs[field]}
            fault={typed.has(field) ? faultOf(field) : undefined}
            inputRef={field === 'sdk_app_id' ? idInput : undefined}
            onInput={(input) => {
              setInputs({ ...inputs, [field]: input });
              setTyped(new Set([...typed, field]));
            }}
          />
        ))}
      </div>
    </ActionDialog>
  );
}

type FieldProps = {
  readonly field: NewField;
  readonly input: string;
  readonly fault: string | undefined;
  readonly inputRef: RefObject<HTMLInputElement | null> | undefined;
  readonly onInput: (input: string) => void;
};

function Field({ field, input, fault, inputRef, onInput }: FieldProps) {
  const id = useId();
  const { label, help } = words.field[field];
  return (
    <div className="dialog-field" data-testid={`new-${field}`}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        ref={inputRef}
        type="text"
        inputMode={isNumberField(field) ? 'numeric' : 'text'}
        autoComplete="off"
        spellCheck={false}
        value={input}
        aria-invalid={fault !== undefined}
        aria-describedby={`${id}-help`}
        onChange={(event) => {
          onInput(event.target.value);
        }}
      />
      <p
        id={`${id}-help`}
        className={fault === undefined ? 'quiet' : 'bad'}
        role={fault === undefined ? undefined : 'alert'}
      >
        {fault ?? help}
      </p>
    </div>
  );
}
