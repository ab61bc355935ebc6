/*
 * What collectors refused: said at the top of a page, because it is in no figure below. Folded; unfolded it names each
 * reason with what to do about it. Nothing is shown where nothing was refused.
 */
import type { FleetRefusals, RefusalReason, Refusals } from '@imscope/schemas/query-api/refusals.js';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { Count } from './figure.js';
import { formatCount } from '../words/format-number.js';
import { Failure } from './panel.js';
import type { AnswerState } from '../api/use-answer.js';
import { leadingReasons, sumByReason } from './refusal-reasons.js';

/** Applications named on the fleet's page; the others are counted. */
const APPLICATIONS_SHOWN = 20;

export function ApplicationRefusals({ state }: { readonly state: AnswerState<Refusals> }) {
  return (
    <Notice
      state={state}
      reasonsOf={({ reasons }) => reasons}
      words="of this application refused in this window, and in no figure below"
    >
      {({ reasons }) => <ReasonList reasons={reasons} />}
    </Notice>
  );
}

type FleetProps = {
  readonly state: AnswerState<FleetRefusals>;
  /** Of the window, for links to applications. */
  readonly search: string;
};

export function FleetRefusalsNotice({ state, search }: FleetProps) {
  return (
    <Notice
      state={state}
      reasonsOf={({ applications }) => sumByReason(applications)}
      words="refused in this window, and in no figure below"
    >
      {({ applications }) => (
        <>
          <ul className="refused-applications">
            {applications.slice(0, APPLICATIONS_SHOWN).map(({ sdk_app_id: id, records, reasons }) => (
              <li key={id ?? 'none'} data-testid={`refused-${id ?? 'none'}`} data-value={records}>
                {id === null ? (
                  <span title="They name no application that their token speaks for, or cannot be read">
                    no application
                  </span>
                ) : (
                  <Link href={`/applications/${id.toString()}${search}`}>{id}</Link>
                )}{' '}
                <Count value={records} unit="records" />{' '}
                <span className="quiet">{leadingReasons(reasons)}</span>
              </li>
            ))}
          </ul>
          {applications.length > APPLICATIONS_SHOWN && (
            <p className="quiet">
              and {formatCount(applications.length - APPLICATIONS_SHOWN)} more applications
            </p>
          )}
          <ReasonList reasons={sumByReason(applications)} />
        </>
      )}
    </Notice>
  );
}

type NoticeProps<T> = {
  readonly state: AnswerState<T>;
  readonly reasonsOf: (data: T) => readonly RefusalReason[];
  readonly words: string;
  readonly children: (data: T) => ReactNode;
};

function Notice<T extends { readonly records: number }>({
  state,
  reasonsOf,
  words,
  children,
}: NoticeProps<T>) {
  const { answer, error, stale } = state;
  if (error !== null) return <Failure error={error} state={state} />;
  if (answer === null || answer.data.records === 0) return null;
  const { data } = answer;
  return (
    <details
      className={stale ? 'refusals stale' : 'refusals'}
      data-testid="refusals"
      data-value={data.records}
      aria-busy={stale}
    >
      <summary>
        <strong>
          <Count value={data.records} unit="records" /> {data.records === 1 ? 'record' : 'records'}
        </strong>{' '}
        {words}: {leadingReasons(reasonsOf(data))}
      </summary>
      {children(data)}
      <p className="quiet">
        The collector’s log names the token or the file, and a field of one example: look for “records are
        refused”.
      </p>
    </details>
  );
}

function ReasonList({ reasons }: { readonly reasons: readonly RefusalReason[] }) {
  return (
    <ul className="refusal-reasons">
      {reasons.map(({ reason, records, meaning, advice }) => (
        <li key={reason} data-testid={`refusal-${reason}`} data-value={records}>
          <code>{reason}</code> <Count value={records} unit="records" />
          <p>
            {meaning} <span className="advice">{advice}</span>
          </p>
        </li>
      ))}
    </ul>
  );
}
