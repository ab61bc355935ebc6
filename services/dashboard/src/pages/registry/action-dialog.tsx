/*
 * The dialog before a change: what will happen, a reason, for some the SDKAppID typed, then the change. A failure stays in
 * the dialog, with what was typed.
 */
import type { AskError } from '@imscope/schemas/query-api/ask.js';
import { type ReactNode, type SubmitEvent, useEffect, useId, useRef, useState } from 'react';
import { asAskError } from '../../api/ask-service.js';
import { failureText } from '../../words/failure-text.js';
import { registryTexts } from '../../words/registry-texts.js';

const REASON_LENGTH_MAX = 200;
const words = registryTexts.save;

type Props = {
  readonly title: string;
  /** Below the title. */
  readonly children?: ReactNode;
  readonly confirm: string;
  readonly tone?: 'danger';
  /** Has to be typed before. */
  readonly typedId?: string;
  readonly isBlocked?: boolean;
  /** False where the operation takes none. */
  readonly hasReason?: boolean;
  /** Resolves when it is done; what it rejects with is shown. */
  readonly run: (reason: string) => Promise<void>;
  readonly onClose: () => void;
};

export function ActionDialog(props: Props) {
  const {
    title,
    children,
    confirm,
    tone,
    typedId,
    isBlocked = false,
    hasReason = true,
    run,
    onClose,
  } = props;
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<AskError | null>(null);
  const heading = useId();
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    run(reason.trim())
      .catch((error: unknown) => {
        setFailure(asAskError(error));
      })
      .finally(() => {
        setBusy(false);
      });
  };
  const isReady =
    (reason.trim() !== '' || !hasReason) && (typedId === undefined || typed.trim() === typedId) && !isBlocked;
  return (
    <Modal labelledBy={heading} onClose={onClose}>
      <form onSubmit={submit} className="dialog-form" data-testid="dialog">
        <h2 id={heading}>{title}</h2>
        <div className="dialog-body">{children}</div>
        {typedId !== undefined && <TypedId id={typedId} value={typed} onChange={setTyped} />}
        {hasReason && <Reason value={reason} onChange={setReason} />}
        {failure !== null && (
          <div className="notice bad" role="alert" data-testid="dialog-failure" data-value={failure.code}>
            <p>
              <code>{failure.code}</code> {failureText(failure)}
            </p>
          </div>
        )}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            {words.cancel}
          </button>
          <button
            type="submit"
            className={`button ${tone === 'danger' ? 'danger' : 'primary'}`}
            disabled={!isReady || busy}
            data-testid="dialog-confirm"
          >
            {busy ? words.saving : confirm}
          </button>
        </div>
      </form>
    </Modal>
  );
}

type ModalProps = {
  readonly labelledBy: string;
  readonly children: ReactNode;
  readonly onClose: () => void;
};

/** Takes the focus, gives it back, and closes with Escape: the browser's own dialog does. */
export function Modal({ labelledBy, children, onClose }: ModalProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={labelledBy} className="dialog" onClose={onClose}>
      {children}
    </dialog>
  );
}

type FieldProps = { readonly value: string; readonly onChange: (value: string) => void };

function Reason({ value, onChange }: FieldProps) {
  const id = useId();
  return (
    <div className="dialog-field">
      <label htmlFor={id}>{words.reason}</label>
      <input
        id={id}
        required
        maxLength={REASON_LENGTH_MAX}
        autoComplete="off"
        value={value}
        data-testid="dialog-reason"
        aria-describedby={`${id}-help`}
        onChange={(event) => {
          onChange(event.target.value);
        }}
      />
      <p id={`${id}-help`} className="quiet">
        {words.reasonHelp}
      </p>
    </div>
  );
}

function TypedId({ id: wanted, value, onChange }: FieldProps & { readonly id: string }) {
  const id = useId();
  return (
    <div className="dialog-field">
      <label htmlFor={id}>{registryTexts.lifecycle.typeId(wanted)}</label>
      <input
        id={id}
        inputMode="numeric"
        autoComplete="off"
        value={value}
        data-testid="dialog-typed-id"
        onChange={(event) => {
          onChange(event.target.value);
        }}
      />
    </div>
  );
}
