/*
 * The refused records of the fleet, by application and reason.
 */
import { Link } from 'wouter';
import type { StateOf } from '../../api/use-answer.js';
import { ApplicationLabel } from '../../parts/application-label.js';
import { Count } from '../../parts/figure.js';
import { leadingReasons, sumByReason } from '../../parts/refusal-reasons.js';
import { ReasonList, RefusalsNotice } from '../../parts/refusals-notice.js';
import { texts } from '../../words/texts.js';

/** Applications that are named; the others are counted. */
const APPLICATIONS_SHOWN = 20;

type Props = {
  readonly state: StateOf<'fleetRefusals'>;
  /** Of the window, for links to applications. */
  readonly search: string;
};

export function FleetRefusalsNotice({ state, search }: Props) {
  return (
    <RefusalsNotice
      state={state}
      reasonsOf={({ applications }) => sumByReason(applications)}
      text={texts.refusal.ofFleet}
    >
      {({ applications }) => (
        <>
          <ul className="refused-applications">
            {applications
              .slice(0, APPLICATIONS_SHOWN)
              .map(({ sdk_app_id: id, records, reasons, ...names }) => (
                <li key={id ?? 'none'} data-testid={`refused-${id ?? 'none'}`} data-value={records}>
                  {id === null ? (
                    <span title={texts.refusal.noApplicationTitle}>{texts.refusal.noApplication}</span>
                  ) : (
                    <Link href={`/applications/${id.toString()}${search}`}>{id}</Link>
                  )}{' '}
                  <ApplicationLabel of={names} /> <Count value={records} unit="records" />{' '}
                  <span className="quiet">{leadingReasons(reasons)}</span>
                </li>
              ))}
          </ul>
          {applications.length > APPLICATIONS_SHOWN && (
            <p className="quiet">
              {texts.refusal.moreApplications(applications.length - APPLICATIONS_SHOWN)}
            </p>
          )}
          <ReasonList reasons={sumByReason(applications)} />
        </>
      )}
    </RefusalsNotice>
  );
}
