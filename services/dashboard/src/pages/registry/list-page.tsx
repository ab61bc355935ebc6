/*
 * All applications of the registry, page by page, with search and status; a new one; below it tokens and purges.
 */
import type { ApplicationSummary } from '@imscope/schemas/registry-api/application.js';
import { APPLICATION_STATUSES, type ApplicationStatus } from '@imscope/schemas/application-state.js';
import { useDeferredValue, useState } from 'react';
import { Link } from 'wouter';
import { useRegistry } from '../../api/use-registry.js';
import { HeaderFrame } from '../../parts/header-frame.js';
import { LocalTime } from '../../parts/local-time.js';
import { Empty, Failure, Skeleton } from '../../parts/panel.js';
import { registryTexts } from '../../words/registry-texts.js';
import { CreateApplication } from './create-application.js';
import { Paging } from './paging.js';
import { PurgesPanel } from './purges-panel.js';
import { StatusBadge } from './status-badge.js';
import { TokensPanel } from './tokens-panel.js';

const PAGE_ROWS = 50;
const words = registryTexts.list;

export function ListPage() {
  return (
    <>
      <HeaderFrame home="/" crumbs={<h1 className="here">{registryTexts.title}</h1>} />
      <main className="page registry" data-testid="registry-page">
        <Applications />
        <TokensPanel />
        <PurgesPanel />
      </main>
    </>
  );
}

function Applications() {
  const [search, setSearch] = useState('');
  const [status, setStatus] = useState<ApplicationStatus | null>(null);
  /** Where each page that was turned to begins; the last is shown. */
  const [starts, setStarts] = useState<readonly string[]>([]);
  const asked = useDeferredValue(search.trim());
  const after = starts.at(-1);
  const state = useRegistry('listApplications', {
    query: {
      limit: PAGE_ROWS,
      ...(asked === '' ? {} : { search: asked }),
      ...(status === null ? {} : { status }),
      ...(after === undefined ? {} : { after }),
    },
  });
  const { answer, error, stale } = state;
  const clear = (): void => {
    setSearch('');
    setStatus(null);
    setStarts([]);
  };
  return (
    <section className="panel flush" aria-label={registryTexts.title}>
      <div className="table-tools">
        <Filters
          search={search}
          status={status}
          onSearch={(next) => {
            setSearch(next);
            setStarts([]);
          }}
          onStatus={(next) => {
            setStatus(next);
            setStarts([]);
          }}
        />
        <div className="registry-actions">
          {answer !== null && (
            <p className="quiet" data-testid="registry-total" data-value={answer.total}>
              {words.total(answer.total)}
            </p>
          )}
          <CreateApplication />
        </div>
      </div>
      {error !== null && <Failure error={error} state={state} />}
      {answer === null ? (
        error === null && <Skeleton rows={12} />
      ) : (
        <div className={stale ? 'stale' : undefined} aria-busy={stale}>
          {answer.applications.length === 0 ? (
            <Nothing isFiltered={asked !== '' || status !== null} onClear={clear} />
          ) : (
            <Table applications={answer.applications} />
          )}
          <Paging
            label={words.pages}
            name="registry"
            starts={starts}
            next={answer.next}
            onStarts={setStarts}
          />
        </div>
      )}
    </section>
  );
}

type FilterProps = {
  readonly search: string;
  readonly status: ApplicationStatus | null;
  readonly onSearch: (search: string) => void;
  readonly onStatus: (status: ApplicationStatus | null) => void;
};

function Filters({ search, status, onSearch, onStatus }: FilterProps) {
  return (
    <div className="registry-filters">
      <input
        type="search"
        className="registry-search"
        maxLength={64}
        placeholder={words.search}
        aria-label={words.search}
        value={search}
        data-testid="registry-search"
        onChange={(event) => {
          onSearch(event.target.value);
        }}
      />
      <select
        aria-label={words.statusLabel}
        value={status ?? ''}
        data-testid="registry-status"
        onChange={(event) => {
          onStatus(APPLICATION_STATUSES.find((one) => one === event.target.value) ?? null);
        }}
      >
        <option value="">{words.anyStatus}</option>
        {APPLICATION_STATUSES.map((one) => (
          <option key={one} value={one}>
            {registryTexts.status[one]}
          </option>
        ))}
      </select>
    </div>
  );
}

function Nothing({ isFiltered, onClear }: { readonly isFiltered: boolean; readonly onClear: () => void }) {
  if (isFiltered) {
    return (
      <Empty>
        <p>{words.nothingFound}</p>
        <button type="button" className="button" onClick={onClear}>
          {words.clear}
        </button>
      </Empty>
    );
  }
  return (
    <Empty>
      <p>{words.none}</p>
      <p>{words.noneAdvice}</p>
      <pre>{words.importCommand}</pre>
    </Empty>
  );
}

function Table({ applications }: { readonly applications: readonly ApplicationSummary[] }) {
  const nowMs = Date.now();
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={registryTexts.title}>
      <table className="registry-list">
        <thead>
          <tr>
            <th scope="col">{registryTexts.key.sdkAppId}</th>
            <th scope="col">{words.name}</th>
            <th scope="col">{words.owner}</th>
            <th scope="col">{words.package}</th>
            <th scope="col">{words.dataCentre}</th>
            <th scope="col">{words.status}</th>
            <th scope="col" className="number">
              {words.version}
            </th>
            <th scope="col">{words.updated}</th>
          </tr>
        </thead>
        <tbody>
          {applications.map((one) => (
            <tr key={one.sdk_app_id} data-testid={`registry-row-${one.sdk_app_id.toString()}`}>
              <th scope="row">
                <Link href={`/registry/${one.sdk_app_id.toString()}`} className="row-link">
                  {one.sdk_app_id}
                </Link>
              </th>
              <td className="cut">{one.name}</td>
              <td className="cut">{one.owner}</td>
              <td>{one.package}</td>
              <td>{one.data_centre}</td>
              <td>
                <StatusBadge status={one.status} />
              </td>
              <td className="number">{one.version}</td>
              <td>
                <LocalTime at={one.updated_at} nowMs={nowMs} form="age" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
