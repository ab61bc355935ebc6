/*
 * Tokens in force: list, new ones, revocation.
 */
import type { Token } from '@imscope/schemas/registry-api/tokens.js';
import { TOKEN_SCOPES, type TokenScope } from '@imscope/schemas/registry-entry.js';
import { useId, useState } from 'react';
import { call } from '../../api/call-service.js';
import { useReadAgain, useRegistry } from '../../api/use-registry.js';
import { LocalTime } from '../../parts/local-time.js';
import { Failure, Skeleton } from '../../parts/panel.js';
import { registryTexts } from '../../words/registry-texts.js';
import { ActionDialog } from './action-dialog.js';
import { ShownOnce } from './shown-once.js';

const words = registryTexts.tokens;
const IDS_SHOWN = 3;

export function TokensPanel() {
  const state = useRegistry('listTokens', {});
  const [open, setOpen] = useState<Token | 'new' | null>(null);
  const [made, setMade] = useState('');
  const { answer, error } = state;
  const close = (): void => {
    setOpen(null);
  };
  return (
    <section id="tokens" className="panel" aria-label={words.title} data-testid="tokens">
      <header className="panel-head">
        <h2>{words.title}</h2>
        <button
          type="button"
          className="button"
          data-testid="new-token"
          onClick={() => {
            setOpen('new');
          }}
        >
          {words.create}
        </button>
      </header>
      {error !== null && <Failure error={error} state={state} />}
      {answer === null ? (
        error === null && <Skeleton rows={3} />
      ) : answer.tokens.length === 0 ? (
        <p className="quiet">{words.none}</p>
      ) : (
        <TokenTable tokens={answer.tokens} onRevoke={setOpen} />
      )}
      {open === 'new' && <NewToken onToken={setMade} onClose={close} />}
      {open !== null && open !== 'new' && <Revoke token={open} onClose={close} />}
      {made !== '' && (
        <ShownOnce
          secret={made}
          onClose={() => {
            setMade('');
          }}
        />
      )}
    </section>
  );
}

type TableProps = { readonly tokens: readonly Token[]; readonly onRevoke: (token: Token) => void };

function TokenTable({ tokens, onRevoke }: TableProps) {
  const nowMs = Date.now();
  return (
    <div className="scroll-x">
      <table>
        <thead>
          <tr>
            <th scope="col">{words.name}</th>
            <th scope="col">{words.scope}</th>
            <th scope="col">{words.applications}</th>
            <th scope="col">{words.created}</th>
            <th scope="col">{words.expires}</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <tr key={token.id} data-testid={`token-${token.id.toString()}`}>
              <th scope="row">{token.name}</th>
              <td>
                <span title={words.scopeHelp[token.scope]}>{token.scope}</span>
              </td>
              <td>{applicationsText(token.applications)}</td>
              <td>
                <LocalTime at={token.created_at} nowMs={nowMs} />
              </td>
              <td>
                {token.expires_at === null ? words.never : <LocalTime at={token.expires_at} nowMs={nowMs} />}
              </td>
              <td>
                <button
                  type="button"
                  className="button danger"
                  aria-label={words.revokeOf(token.name)}
                  onClick={() => {
                    onRevoke(token);
                  }}
                >
                  {words.revoke}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function applicationsText(applications: Token['applications']): string {
  if (applications === 'all') return words.all;
  const more = applications.length - IDS_SHOWN;
  const shown = applications.slice(0, IDS_SHOWN).join(', ');
  return more > 0 ? words.andMore(shown, more) : shown;
}

function Revoke({ token, onClose }: { readonly token: Token; readonly onClose: () => void }) {
  const readAgain = useReadAgain();
  const run = async (): Promise<void> => {
    await call('revokeToken', { params: { id: token.id } });
    onClose();
    await readAgain();
  };
  return (
    <ActionDialog
      title={words.revokeTitle(token.name)}
      confirm={words.revoke}
      tone="danger"
      hasReason={false}
      run={run}
      onClose={onClose}
    >
      <p>{words.revokeEffect}</p>
    </ActionDialog>
  );
}

type NewProps = { readonly onToken: (token: string) => void; readonly onClose: () => void };

function NewToken({ onToken, onClose }: NewProps) {
  const [name, setName] = useState('');
  const [scope, setScope] = useState<TokenScope>('write');
  const [ids, setIds] = useState('');
  const id = useId();
  const readAgain = useReadAgain();
  const applications = parseIds(ids);
  const run = async (reason: string): Promise<void> => {
    if (applications === undefined) return;
    const body = { name: name.trim(), scope, applications, reason };
    const { token } = await call('createToken', { body });
    onClose();
    onToken(token);
    await readAgain();
  };
  return (
    <ActionDialog
      title={words.createTitle}
      confirm={words.create}
      isBlocked={name.trim() === '' || applications === undefined}
      run={run}
      onClose={onClose}
    >
      <div className="dialog-field">
        <label htmlFor={`${id}-name`}>{words.name}</label>
        <input
          id={`${id}-name`}
          maxLength={64}
          autoComplete="off"
          value={name}
          data-testid="token-name"
          onChange={(event) => {
            setName(event.target.value);
          }}
        />
      </div>
      <ScopeField scope={scope} onScope={setScope} />
      <div className="dialog-field">
        <label htmlFor={`${id}-ids`}>{words.applications}</label>
        <input
          id={`${id}-ids`}
          inputMode="numeric"
          autoComplete="off"
          value={ids}
          aria-invalid={applications === undefined}
          onChange={(event) => {
            setIds(event.target.value);
          }}
        />
        <p className={applications === undefined ? 'bad' : 'quiet'}>
          {applications === undefined ? words.badApplications : words.applicationsHelp}
        </p>
      </div>
    </ActionDialog>
  );
}

type ScopeProps = { readonly scope: TokenScope; readonly onScope: (scope: TokenScope) => void };

function ScopeField({ scope, onScope }: ScopeProps) {
  const id = useId();
  return (
    <div className="dialog-field">
      <label htmlFor={id}>{words.scope}</label>
      <select
        id={id}
        value={scope}
        onChange={(event) => {
          onScope(TOKEN_SCOPES.find((one) => one === event.target.value) ?? 'write');
        }}
      >
        {TOKEN_SCOPES.map((one) => (
          <option key={one} value={one}>
            {words.scopeOption(one)}
          </option>
        ))}
      </select>
    </div>
  );
}

/** undefined where it is no list of SDKAppIDs. */
function parseIds(text: string): number[] | 'all' | undefined {
  if (text.trim() === '') return 'all';
  const parts = text.split(',').map((part) => part.trim());
  return parts.every((part) => /^[1-9]\d{0,15}$/.test(part)) ? parts.map(Number) : undefined;
}
