/*
 * Versions of an application: what differs between any two, and the way back to an earlier one.
 */
import type { Application, VersionSummary } from '@imscope/schemas/registry-api/application.js';
import { useState } from 'react';
import { call } from '../../api/call-service.js';
import { useReadAgain, useRegistry } from '../../api/use-registry.js';
import { LocalTime } from '../../parts/local-time.js';
import { Failure, Skeleton } from '../../parts/panel.js';
import { registryTexts } from '../../words/registry-texts.js';
import { ActionDialog } from './action-dialog.js';
import { DifferencesList } from './differences-list.js';

const PAGE_VERSIONS = 20;
const VERSIONS_MAX = 1_000;
const words = registryTexts.history;

type Props = {
  readonly application: Application;
  /** There are edits, which a rollback would be mixed with. */
  readonly isDirty: boolean;
  readonly onDone: (text: string) => void;
};

export function HistoryPanel({ application, isDirty, onDone }: Props) {
  const [limit, setLimit] = useState(PAGE_VERSIONS);
  const [chosen, setChosen] = useState<{ readonly from: number; readonly to: number } | null>(null);
  const [target, setTarget] = useState<number | null>(null);
  const params = { sdk_app_id: application.sdk_app_id };
  const state = useRegistry('listVersions', { params, query: { limit } });
  const { answer, error } = state;
  const inForce = application.version;
  const from = chosen?.from ?? Math.max(1, inForce - 1);
  const to = chosen?.to ?? inForce;
  return (
    <section id="history" className="panel" aria-label={words.title} data-testid="history">
      <header className="panel-head">
        <h2>{words.title}</h2>
      </header>
      {error !== null && <Failure error={error} state={state} />}
      {answer === null ? (
        error === null && <Skeleton rows={4} />
      ) : (
        <div className="history">
          <div className="scroll-x">
            <Versions
              versions={answer.versions}
              inForce={inForce}
              from={from}
              to={to}
              onChoose={setChosen}
              rollback={{
                isDisabled: isDirty || application.status === 'terminated',
                why: isDirty ? words.unsavedFirst : '',
                onRollback: setTarget,
              }}
            />
            {answer.next !== null && limit < VERSIONS_MAX && (
              <button
                type="button"
                className="button"
                onClick={() => {
                  setLimit(Math.min(limit * 5, VERSIONS_MAX));
                }}
              >
                {words.older}
              </button>
            )}
          </div>
          {inForce > 1 && <Comparison params={params} from={from} to={to} />}
        </div>
      )}
      {target !== null && (
        <Rollback
          application={application}
          target={target}
          onDone={onDone}
          onClose={() => {
            setTarget(null);
          }}
        />
      )}
    </section>
  );
}

type VersionsProps = {
  readonly versions: readonly VersionSummary[];
  readonly inForce: number;
  readonly from: number;
  readonly to: number;
  readonly onChoose: (chosen: { readonly from: number; readonly to: number }) => void;
  readonly rollback: {
    readonly isDisabled: boolean;
    readonly why: string;
    readonly onRollback: (version: number) => void;
  };
};

function Versions({ versions, inForce, from, to, onChoose, rollback }: VersionsProps) {
  const nowMs = Date.now();
  return (
    <table className="versions">
      <thead>
        <tr>
          <th scope="col">{words.from}</th>
          <th scope="col">{words.to}</th>
          <th scope="col">{words.version}</th>
          <th scope="col">{words.at}</th>
          <th scope="col">{words.author}</th>
          <th scope="col">{words.reason}</th>
          <th />
        </tr>
      </thead>
      <tbody>
        {versions.map(({ version, created_at, author, reason }) => (
          <tr key={version} data-testid={`version-${version.toString()}`}>
            <td>
              <input
                type="radio"
                name="history-from"
                aria-label={words.fromOf(version)}
                checked={version === from}
                onChange={() => {
                  onChoose({ from: version, to });
                }}
              />
            </td>
            <td>
              <input
                type="radio"
                name="history-to"
                aria-label={words.toOf(version)}
                checked={version === to}
                onChange={() => {
                  onChoose({ from, to: version });
                }}
              />
            </td>
            <th scope="row">{version}</th>
            <td>
              <LocalTime at={created_at} nowMs={nowMs} />
            </td>
            <td>{author}</td>
            <td className="reason">{reason}</td>
            <td>
              {version === inForce ? (
                <span className="badge good">{words.inForce}</span>
              ) : (
                <button
                  type="button"
                  className="button"
                  disabled={rollback.isDisabled}
                  title={rollback.why === '' ? words.rollbackTo(version) : rollback.why}
                  aria-label={words.rollbackTo(version)}
                  onClick={() => {
                    rollback.onRollback(version);
                  }}
                >
                  {words.rollback}
                </button>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

type ComparisonProps = {
  readonly params: { readonly sdk_app_id: number };
  readonly from: number;
  readonly to: number;
};

function Comparison({ params, from, to }: ComparisonProps) {
  const state = useRegistry('diffVersions', { params, query: { from, to } });
  const { answer, error, stale } = state;
  return (
    <div className="comparison" data-testid="comparison" data-value={`${from.toString()}/${to.toString()}`}>
      <h3>{words.compareWith(from, to)}</h3>
      {error !== null && <Failure error={error} state={state} />}
      {answer !== null && (
        <div className={stale ? 'stale' : undefined} aria-busy={stale}>
          <DifferencesList differences={answer.differences} />
        </div>
      )}
    </div>
  );
}

type RollbackProps = {
  readonly application: Application;
  readonly target: number;
  readonly onDone: (text: string) => void;
  readonly onClose: () => void;
};

function Rollback({ application, target, onDone, onClose }: RollbackProps) {
  const readAgain = useReadAgain();
  const params = { sdk_app_id: application.sdk_app_id };
  const run = async (reason: string): Promise<void> => {
    const { revision } = application;
    const after = await call('rollback', { params, body: { version: target, reason }, revision });
    onDone(words.rolledBack(target, after.version));
    onClose();
    await readAgain();
  };
  return (
    <ActionDialog title={words.rollbackTitle(target)} confirm={words.rollback} run={run} onClose={onClose}>
      <Comparison params={params} from={application.version} to={target} />
    </ActionDialog>
  );
}
