/*
 * Keys and secrets of an application: when each was set, and a new one in its place. Values are never shown.
 */
import type { Application } from '@imscope/schemas/registry-api/application.js';
import {
  CERTIFICATE_BYTES_MAX,
  CERTIFICATE_PASSWORD_LENGTH_MAX,
} from '@imscope/schemas/registry-api/operations.js';
import { useId, useState } from 'react';
import { call } from '../../api/call-service.js';
import { useReadAgain } from '../../api/use-registry.js';
import { LocalTime } from '../../parts/local-time.js';
import { registryTexts } from '../../words/registry-texts.js';
import { ActionDialog } from './action-dialog.js';
import { ShownOnce } from './shown-once.js';

const words = registryTexts.secrets;
const VALUE_LENGTH_MAX = 4_096;
const KEY_NAME = 'application_key';

type Props = {
  readonly application: Application;
  readonly isEditable: boolean;
  readonly onDone: (text: string) => void;
};

type Slot =
  | { readonly kind: 'secret'; readonly name: string; readonly label: string }
  | { readonly kind: 'certificate'; readonly name: string; readonly id: string; readonly label: string };

export function SecretsPanel({ application, isEditable, onDone }: Props) {
  const [open, setOpen] = useState<Slot | null>(null);
  const [isRotating, setRotating] = useState(false);
  const [newKey, setNewKey] = useState('');
  const setAt = new Map(application.secrets.map(({ name, set_at: time }) => [name, time]));
  const close = (): void => {
    setOpen(null);
  };
  return (
    <section id="secrets" className="panel" aria-label={words.title} data-testid="secrets">
      <header className="panel-head">
        <h2>{words.title}</h2>
        <p className="quiet">{words.explain}</p>
      </header>
      <ul className="secrets">
        <li>
          <span>{words.key}</span>
          <SetAt time={setAt.get(KEY_NAME)} />
          <button
            type="button"
            className="button danger"
            disabled={!isEditable}
            data-testid="rotate"
            onClick={() => {
              setRotating(true);
            }}
          >
            {words.rotate}
          </button>
        </li>
        {slotsOf(application).map((slot) => (
          <li key={slot.name} data-testid={`secret-${slot.name}`}>
            <span>{slot.label}</span>
            <SetAt time={setAt.get(slot.name)} />
            <button
              type="button"
              className="button"
              disabled={!isEditable}
              onClick={() => {
                setOpen(slot);
              }}
            >
              {setAt.has(slot.name) ? words.replace : words.set}
            </button>
          </li>
        ))}
      </ul>
      {isRotating && (
        <RotateKey
          application={application}
          onKey={setNewKey}
          onClose={() => {
            setRotating(false);
          }}
        />
      )}
      {open !== null && (
        <ReplaceSecret application={application} slot={open} onDone={onDone} onClose={close} />
      )}
      {newKey !== '' && (
        <ShownOnce
          secret={newKey}
          onClose={() => {
            setNewKey('');
          }}
        />
      )}
    </section>
  );
}

/** The places of secrets that the configuration names. */
function slotsOf({ configuration }: Application): Slot[] {
  return [
    { kind: 'secret', name: 'callback/signing_key', label: words.signingKey },
    ...configuration.push_certificates.flatMap(({ id }): Slot[] => [
      { kind: 'secret', name: `push/${id}/app_secret`, label: words.appSecret(id) },
      { kind: 'certificate', name: `push/${id}/certificate`, id, label: words.certificate(id) },
    ]),
  ];
}

function SetAt({ time }: { readonly time: string | undefined }) {
  if (time === undefined) return <span className="quiet">{registryTexts.notSet}</span>;
  return (
    <span className="quiet">
      {words.setAtPrefix} <LocalTime at={time} nowMs={Date.now()} />
    </span>
  );
}

type RotateProps = {
  readonly application: Application;
  readonly onKey: (key: string) => void;
  readonly onClose: () => void;
};

function RotateKey({ application, onKey, onClose }: RotateProps) {
  const readAgain = useReadAgain();
  const { sdk_app_id: id, revision, details } = application;
  const run = async (reason: string): Promise<void> => {
    const { key } = await call('rotateKey', { params: { sdk_app_id: id }, body: { reason }, revision });
    onClose();
    onKey(key);
    await readAgain();
  };
  return (
    <ActionDialog
      title={words.rotateTitle(details.name)}
      confirm={words.rotate}
      tone="danger"
      typedId={id.toString()}
      run={run}
      onClose={onClose}
    >
      <p>{words.rotateEffect}</p>
    </ActionDialog>
  );
}

type ReplaceProps = {
  readonly application: Application;
  readonly slot: Slot;
  readonly onDone: (text: string) => void;
  readonly onClose: () => void;
};

function ReplaceSecret({ application, slot, onDone, onClose }: ReplaceProps) {
  const [value, setValue] = useState('');
  const [file, setFile] = useState<File | null>(null);
  const id = useId();
  const readAgain = useReadAgain();
  const sdkAppId = application.sdk_app_id;
  const isTooLarge = file !== null && file.size > CERTIFICATE_BYTES_MAX;
  const run = async (reason: string): Promise<void> => {
    if (slot.kind === 'secret') {
      await call('putSecret', { params: { sdk_app_id: sdkAppId }, body: { name: slot.name, value, reason } });
    } else if (file !== null) {
      const content = base64Of(new Uint8Array(await file.arrayBuffer()));
      const params = { sdk_app_id: sdkAppId, certificate_id: slot.id };
      const password = value === '' ? {} : { password: value };
      await call('putCertificate', { params, body: { content_base64: content, reason, ...password } });
    }
    onDone(words.done(slot.label));
    onClose();
    await readAgain();
  };
  return (
    <ActionDialog
      title={words.replaceTitle(slot.label)}
      confirm={words.set}
      isBlocked={slot.kind === 'secret' ? value === '' : file === null || isTooLarge}
      run={run}
      onClose={onClose}
    >
      {slot.kind === 'certificate' && (
        <div className="dialog-field">
          <label htmlFor={`${id}-file`}>{words.file}</label>
          <input
            id={`${id}-file`}
            type="file"
            onChange={(event) => {
              setFile(event.target.files?.[0] ?? null);
            }}
          />
          {isTooLarge && <p className="bad">{words.fileTooLarge(CERTIFICATE_BYTES_MAX)}</p>}
        </div>
      )}
      <div className="dialog-field">
        <label htmlFor={id}>{slot.kind === 'secret' ? words.value : words.password}</label>
        <input
          id={id}
          type="password"
          autoComplete="off"
          maxLength={slot.kind === 'secret' ? VALUE_LENGTH_MAX : CERTIFICATE_PASSWORD_LENGTH_MAX}
          value={value}
          data-testid="secret-value"
          onChange={(event) => {
            setValue(event.target.value);
          }}
        />
      </div>
    </ActionDialog>
  );
}

function base64Of(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCodePoint(byte)).join(''));
}
