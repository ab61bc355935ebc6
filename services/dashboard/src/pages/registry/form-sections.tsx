/*
 * The form of an application, in sections, with a list of them to jump to.
 */
import type { Application } from '@imscope/schemas/registry-api/application.js';
import type { ReactNode } from 'react';
import { LocalTime } from '../../parts/local-time.js';
import { recordTexts } from '../../words/registry-record-texts.js';
import { registryTexts } from '../../words/registry-texts.js';
import { CallbackTest } from './callback-test.js';
import type { Draft } from './draft.js';
import type { Input } from './field-input.js';
import { type FieldPath, SECTIONS } from './field-schema.js';
import { FieldView } from './field-view.js';

type Props = {
  readonly application: Application;
  readonly draft: Draft;
  readonly isDisabled: boolean;
  /** null: what is saved. */
  readonly onInput: (path: FieldPath, input: Input | null) => void;
  /** Below the form. */
  readonly children: ReactNode;
};

export function FormSections({ application, draft, isDisabled, onInput, children }: Props) {
  return (
    <div className="registry-columns">
      <Sections application={application} draft={draft} />
      <div>
        {SECTIONS.map(({ name, fields }) => (
          <section
            key={name}
            id={`section-${name}`}
            className="panel registry-section"
            aria-label={registryTexts.sections[name]}
          >
            <header className="panel-head">
              <h2>{registryTexts.sections[name]}</h2>
            </header>
            <div className="registry-fields">
              {fields.map((path) => {
                const state = draft.fields.get(path);
                if (state === undefined) return null;
                return (
                  <FieldView
                    key={path}
                    path={path}
                    state={state}
                    fault={draft.faults.get(path)}
                    isDisabled={isDisabled}
                    onInput={(input) => {
                      onInput(path, input);
                    }}
                    onUndo={() => {
                      onInput(path, null);
                    }}
                  />
                );
              })}
            </div>
            {name === 'callback' && (
              <CallbackTest
                // A change of the URL takes the result of the one before away.
                key={application.configuration.callback.url}
                application={application}
                isDirty={fields.some((path) => draft.changed.includes(path))}
              />
            )}
          </section>
        ))}
        {children}
      </div>
    </div>
  );
}

function Sections({ application, draft }: Pick<Props, 'application' | 'draft'>) {
  const nowMs = Date.now();
  const { key } = registryTexts;
  return (
    <aside className="registry-aside">
      <dl>
        <dt>{key.identity}</dt>
        <dd>
          {application.app_id}, {application.uin}
        </dd>
        <dt>{key.created}</dt>
        <dd>
          <LocalTime at={application.created_at} nowMs={nowMs} />
        </dd>
        <dt>{key.updated}</dt>
        <dd>
          <LocalTime at={application.updated_at} nowMs={nowMs} />
        </dd>
      </dl>
      <nav aria-label={registryTexts.jump}>
        <ul>
          {SECTIONS.map(({ name, fields }) => {
            const isChanged = fields.some((path) => draft.changed.includes(path));
            const isFaulty = fields.some((path) => draft.faults.has(path));
            return (
              <li key={name}>
                <a href={`#section-${name}`} onClick={jump}>
                  {registryTexts.sections[name]}
                </a>
                {(isChanged || isFaulty) && (
                  <span className={`mark ${isFaulty ? 'bad' : 'changed'}`} title={registryTexts.changed} />
                )}
              </li>
            );
          })}
          {PANELS.map(({ id, title }) => (
            <li key={id}>
              <a href={`#${id}`} onClick={jump}>
                {title}
              </a>
            </li>
          ))}
        </ul>
      </nav>
    </aside>
  );
}

const PANELS = [
  { id: 'history', title: registryTexts.history.title },
  { id: 'lifecycle', title: registryTexts.lifecycle.title },
  { id: 'secrets', title: registryTexts.secrets.title },
  { id: 'sharing', title: registryTexts.sharing.title },
  { id: 'audit', title: recordTexts.audit.title },
];

/** Without a change of the address: its fragment may hold a sign-in code, and Back would only jump. */
function jump(event: { readonly currentTarget: HTMLAnchorElement; preventDefault(): void }): void {
  event.preventDefault();
  const target = document.getElementById(event.currentTarget.hash.slice(1));
  target?.scrollIntoView({ block: 'start' });
  target?.querySelector<HTMLElement>('input, select, textarea, button')?.focus({ preventScroll: true });
}
