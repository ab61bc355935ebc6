/*
 * Purges of terminated applications and their certificates: each place, its state and the dates, newest first.
 */
import type { PurgeCertificate } from '@imscope/schemas/registry-api/records.js';
import { useState } from 'react';
import { useRegistry } from '../../api/use-registry.js';
import { LocalTime } from '../../parts/local-time.js';
import { recordTexts } from '../../words/registry-record-texts.js';
import { registryTexts } from '../../words/registry-texts.js';
import { PagedPanel } from './paged-panel.js';

const PAGE_ROWS = 20;
const words = recordTexts.purges;

export function PurgesPanel() {
  const [starts, setStarts] = useState<readonly string[]>([]);
  const after = starts.at(-1);
  const query = { limit: PAGE_ROWS, ...(after === undefined ? {} : { after }) };
  const state = useRegistry('listPurges', { query });
  return (
    <PagedPanel
      name="purges"
      words={words}
      state={state}
      isEmpty={({ purges }) => purges.length === 0}
      skeletonRows={2}
      starts={starts}
      onStarts={setStarts}
      table={({ purges }) => <PurgeTable purges={purges} />}
    />
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
