/*
 * One application: its form, with what was typed kept until it is saved or discarded; then history, lifecycle, secrets,
 * sharing and audit.
 */
import type { Application, Difference } from '@imscope/schemas/registry-api/application.js';
import { differencesOf } from '@imscope/schemas/registry-api/differences.js';
import { useEffect, useMemo, useState } from 'react';
import { Link } from 'wouter';
import { asAskError } from '../../api/ask-service.js';
import { call } from '../../api/call-service.js';
import { useReadAgain, useRegistry } from '../../api/use-registry.js';
import { HeaderFrame } from '../../parts/header-frame.js';
import { Failure, Skeleton } from '../../parts/panel.js';
import { registryTexts } from '../../words/registry-texts.js';
import { texts } from '../../words/texts.js';
import { ActionDialog } from './action-dialog.js';
import { AuditPanel } from './audit-panel.js';
import { ConflictNotice } from './conflict-notice.js';
import { DifferencesList } from './differences-list.js';
import { conflictsOf, type Draft, draftOf, type Edits, NO_EDITS, withEdit } from './draft.js';
import type { FieldPath } from './field-schema.js';
import { FormSections } from './form-sections.js';
import { HistoryPanel } from './history-panel.js';
import { LifecyclePanel } from './lifecycle-panel.js';
import { SaveBar } from './save-bar.js';
import { SecretsPanel } from './secrets-panel.js';
import { SharingPanel } from './sharing-panel.js';
import { StatusBadge } from './status-badge.js';

export function ApplicationEditor({ sdkAppId }: { readonly sdkAppId: number }) {
  const state = useRegistry('getApplication', { params: { sdk_app_id: sdkAppId } });
  const { answer, error } = state;
  const name = answer?.details.name ?? '';
  useEffect(() => {
    document.title = texts.header.title(registryTexts.page(name, sdkAppId));
  }, [name, sdkAppId]);
  return (
    <>
      <HeaderFrame
        home="/"
        crumbs={
          <>
            <Link href="/registry">{registryTexts.title}</Link>
            <span className="sep" aria-hidden="true">
              /
            </span>
            <h1 className="here" title={registryTexts.key.sdkAppId}>
              {sdkAppId}
            </h1>
            <span className="application-name">{name}</span>
            {answer !== null && <StatusBadge status={answer.status} />}
            <Link className="button" href={`/applications/${sdkAppId.toString()}`}>
              {registryTexts.monitor}
            </Link>
          </>
        }
      />
      <main className="page registry" data-testid="registry-application" data-value={sdkAppId}>
        {error !== null && <Failure error={error} state={state} />}
        {answer === null ? (
          error === null && (
            <section className="panel">
              <Skeleton rows={14} />
            </section>
          )
        ) : (
          <Editor application={answer} />
        )}
      </main>
    </>
  );
}

/** What somebody else saved while there were edits. */
type Conflict = {
  readonly version: number;
  readonly author: string;
  readonly reason: string;
  readonly differences: readonly Difference[];
};

function Editor({ application }: { readonly application: Application }) {
  const { sdk_app_id: id, version, revision } = application;
  const [edits, setEdits] = useState<Edits>(NO_EDITS);
  const [isReviewing, setReviewing] = useState(false);
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const [done, setDone] = useState('');
  const readAgain = useReadAgain();
  const draft = useMemo(() => draftOf(application, edits), [application, edits]);
  useWarningBeforeLeaving(draft.changed.length > 0);
  const overlapping = conflict === null ? new Set<never>() : conflictsOf(conflict.differences, draft.changed);

  const save = async (reason: string): Promise<void> => {
    try {
      const params = { sdk_app_id: id };
      const saved = await call('changeApplication', { params, body: { ...draft.patch, reason }, revision });
      setEdits(NO_EDITS);
      setConflict(null);
      setReviewing(false);
      setDone(registryTexts.save.saved(saved.version));
    } catch (error) {
      if (asAskError(error).code !== 'precondition_failed') throw error;
      setConflict(await conflictSince(application));
      setReviewing(false);
    }
    await readAgain();
  };
  return (
    <>
      {done !== '' && (
        <p className="notice good" role="status" data-testid="done">
          {done}
        </p>
      )}
      {conflict !== null && <ConflictNotice {...conflict} overlapping={overlapping} />}
      <FormSections
        application={application}
        draft={draft}
        isDisabled={!isEditable(application)}
        onInput={(path, input) => {
          setDone('');
          setEdits(withEdit(edits, application, path, input));
        }}
      >
        <Panels application={application} isDirty={draft.changed.length > 0} onDone={setDone} />
      </FormSections>
      {draft.changed.length > 0 && (
        <SaveBar
          draft={draft}
          onReview={() => {
            setReviewing(true);
          }}
          onDiscard={() => {
            setEdits(NO_EDITS);
            setConflict(null);
          }}
        />
      )}
      {isReviewing && (
        <ReviewDialog
          version={version}
          draft={draft}
          overlapping={overlapping}
          run={save}
          onClose={() => {
            setReviewing(false);
          }}
        />
      )}
    </>
  );
}

type PanelsProps = {
  readonly application: Application;
  readonly isDirty: boolean;
  readonly onDone: (text: string) => void;
};

function Panels({ application, isDirty, onDone }: PanelsProps) {
  return (
    <>
      <HistoryPanel application={application} isDirty={isDirty} onDone={onDone} />
      <LifecyclePanel application={application} onDone={onDone} />
      <SecretsPanel application={application} isEditable={isEditable(application)} onDone={onDone} />
      <SharingPanel sdkAppId={application.sdk_app_id} />
      <AuditPanel sdkAppId={application.sdk_app_id} />
    </>
  );
}

function isEditable({ status }: Application): boolean {
  return status !== 'terminated';
}

type ReviewProps = {
  readonly version: number;
  readonly draft: Draft;
  readonly overlapping: ReadonlySet<FieldPath>;
  readonly run: (reason: string) => Promise<void>;
  readonly onClose: () => void;
};

function ReviewDialog({ version, draft, overlapping, run, onClose }: ReviewProps) {
  const words = registryTexts.save;
  return (
    <ActionDialog title={words.title} confirm={words.confirm} run={run} onClose={onClose}>
      <p className="quiet">{words.onTopOf(version)}</p>
      <DifferencesList
        differences={draft.differences}
        marked={{ fields: overlapping, text: registryTexts.conflict.both }}
      />
    </ActionDialog>
  );
}

/** What changed since the state that was edited, and by whom. */
async function conflictSince(before: Application): Promise<Conflict> {
  const params = { sdk_app_id: before.sdk_app_id };
  const after = await call('getApplication', { params });
  const { versions } = await call('listVersions', { params, query: { limit: 1 } });
  const [newest] = versions;
  return {
    version: after.version,
    author: newest?.author ?? '',
    reason: newest?.reason ?? '',
    differences: differencesOf(stateOf(before), stateOf(after)),
  };
}

function stateOf({ details, settings, configuration }: Application) {
  return { details, settings, configuration };
}

function useWarningBeforeLeaving(isDirty: boolean): void {
  useEffect(() => {
    if (!isDirty) return undefined;
    const warn = (event: BeforeUnloadEvent): void => {
      event.preventDefault();
    };
    addEventListener('beforeunload', warn);
    return () => {
      removeEventListener('beforeunload', warn);
    };
  }, [isDirty]);
}
