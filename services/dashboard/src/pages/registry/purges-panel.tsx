/*
 * Purges of terminated applications and their certificates: each place, its state and the dates, newest first.
 */
import type { PurgeCertificate } from '@imscope/schemas/registry-api/records.js';
import { useState } from 'react';
import { useRegistry } from '../../api/use-registry.js';
import { LocalTime } from '../../parts/local-time.js';
import { Failure, Skeleton } from '../../parts/panel.js';
import { recordTexts } from '../../words/registry-record-texts.js';
import { registryTexts } from '../../words/registry-texts.js';
import { Paging } from './paging.js';

const PAGE_ROWS = 20;
const words = recordTexts.purges;

export function PurgesPanel() {
  const [starts, setStarts] = useState<readonly string[]>([]);
  const after = starts.at(-1);
  const query = { limit: PAGE_ROWS, ...(after === undefined ? {} : { after }) };
  const state = useRegistry('listPurges', { query });
  const { answer, error, stale } = state;
  return (
    <section id="purges" className="panel" aria-label={words.title} data-testid="purges">
      <header className="panel-head">
        <h2>{words.title}</h2>
      </header>
      {error !== null && <Failure error={error} state={state} />}
      {answer === null
        ? error === null && <Skeleton rows={2} />
        : answer.purges.length === 0 && <p className="quiet">{words.none}</p>}
      {answer !== null && answer.purges.length > 0 && (
        <div
          className={`scroll-x ${stale ? 'stale' : ''}`}
          aria-busy={stale}
          tabIndex={0}
          role="region"
          aria-label={words.table}
        >
          <PurgeTable purges={answer.purges} />
        </div>
      )}
      {answer !== null && (
        <Paging label={words.pages} name="purges" starts={starts} next={answer.next} onStarts={setStarts} />
      )}
    </section>
  );
}

function PurgeTable({ purges }: { readonly purges: readonly PurgeCertificate[] }) {
  const titles = [
    registryTexts.key.sdkAppId,
    words.terminated,
    words.due,
    words.latest,
    words.completed,
    words.places,
    words.backups,
  ];
  return (
    <table className="purges">
      <thead>
        <tr>
          {titles.map((title) => (
            <th key={title} scope="col">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {purges.map((one) => (
          <tr
            key={`${one.sdk_app_id.toString()} ${one.started_at}`}
            data-testid={`purge-${one.sdk_app_id.toString()}`}
            data-value={one.completed_at ?? ''}
          >
            <th scope="row">{one.sdk_app_id}</th>
            <td>
              <Time at={one.terminated_at} otherwise="" />
            </td>
            <td>
              <Time at={one.due_at} otherwise="" />
            </td>
            <td>
              <Time at={one.latest_at} otherwise="" />
            </td>
            <td>
              <Time at={one.completed_at} otherwise={words.notYet} />
            </td>
            <td>
              <Places places={one.places} />
            </td>
            <td>
              <Time at={one.backups_expire_at} otherwise={words.noBackups} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Places({ places }: Pick<PurgeCertificate, 'places'>) {
  return (
    <ul>
      {places.map((one) => (
        <li
          key={one.place}
          className={one.state === 'not_used' ? 'quiet' : undefined}
          data-testid={`purge-place-${one.place}`}
          data-value={one.state}
        >
          {words.place(one)}
          {one.last_error !== null && <span className="bad"> {one.last_error}</span>}
        </li>
      ))}
    </ul>
  );
}

function Time({ at, otherwise }: { readonly at: string | null; readonly otherwise: string }) {
  if (at === null) return <span className="quiet">{otherwise}</span>;
  return <LocalTime at={at} nowMs={Date.now()} />;
}
