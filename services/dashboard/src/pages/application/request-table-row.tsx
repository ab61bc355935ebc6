/*
 * One request in the list, with all its details when it is open. Values that can narrow the page are buttons.
 */
import type { RequestRow } from '@imscope/schemas/query-api/requests.js';
import type { ReactNode } from 'react';
import { Duration } from '../../parts/figure.js';
import { LocalTime } from '../../parts/local-time.js';
import { formatUtc } from '../../words/format-time.js';
import type { RequestFilters, Scope } from '../../state/page-state.js';
import { ABSENT } from '../../words/format-number.js';
import { texts } from '../../words/texts.js';
import { OutcomeLabel } from '../../parts/outcome-label.js';
import { codeFilterOf } from './request-links.js';

type Props = {
  readonly row: RequestRow;
  readonly open: boolean;
  readonly nowMs: number;
  readonly advice: string;
  readonly onToggle: () => void;
  readonly onScope: (scope: Scope, value: string) => void;
  readonly onFilters: (filters: Partial<RequestFilters>) => void;
};

const COLUMNS = 11;
const words = texts.request.detail;

export function RequestTableRow(props: Props) {
  const { row, open, nowMs, onToggle } = props;
  return (
    <>
      <tr
        className={`row ${row.outcome === 'service_error' ? 'bad' : ''} ${open ? 'chosen' : ''}`}
        data-testid="request-row"
        data-value={row.request_id}
        onClick={(event) => {
          const onControl = event.target instanceof Element && event.target.closest('a, button') !== null;
          if (!onControl && getSelection()?.isCollapsed !== false) onToggle();
        }}
      >
        <td className="num">
          <button
            type="button"
            className="link row-button"
            aria-expanded={open}
            title={formatUtc(Date.parse(row.time))}
            onClick={onToggle}
          >
            <LocalTime at={row.time} nowMs={nowMs} form="milliseconds" />
          </button>
        </td>
        <td>
          <OutcomeLabel outcome={row.outcome} />
        </td>
        <td className="number">
          {row.code === null ? (
            <abbr className="dim" title={texts.request.noCodeTitle}>
              {ABSENT}
            </abbr>
          ) : (
            <code>{row.code}</code>
          )}
        </td>
        <td>
          <code>{row.interface}</code>
        </td>
        <td className="number">
          <Duration value={row.latency_ms} />
        </td>
        <td>{row.exception}</td>
        <td>{row.node}</td>
        <td>{row.region}</td>
        <td>{row.platform}</td>
        <td>
          <code>{row.exit_ip}</code>
        </td>
        <td className="cut">
          <code title={row.request_id}>{row.request_id}</code>
        </td>
      </tr>
      {open && (
        <tr className="details">
          <td colSpan={COLUMNS}>
            <Details {...props} />
          </td>
        </tr>
      )}
    </>
  );
}

function Details({ row, nowMs, advice, onScope, onFilters }: Props) {
  const cause = [row.exception, row.cause].filter((text) => text !== '').join(': ');
  return (
    <>
      {cause !== '' && <p className="cause">{cause}</p>}
      {advice !== '' && <p className="advice">{advice}</p>}
      <dl className="facts">
        <Fact name={words.time}>
          <LocalTime at={row.time} nowMs={nowMs} form="milliseconds" />{' '}
          <span className="dim">{formatUtc(Date.parse(row.time))}</span>
        </Fact>
        <ScopeFact scope="interface" value={row.interface} onScope={onScope} />
        <Fact name={words.code}>
          <button
            type="button"
            className="link"
            title={words.narrowToCode}
            onClick={() => {
              onFilters({ code: [codeFilterOf(row.code)] });
            }}
          >
            {row.code ?? texts.figure.noCode}
          </button>
        </Fact>
        <Fact name={words.httpStatus}>{row.http_status === 0 ? NOT_KNOWN : row.http_status}</Fact>
        <Delays row={row} />
        <Fact name={words.exitIp}>
          <code>{row.exit_ip}</code>
        </Fact>
        <ScopeFact scope="node" value={row.node} onScope={onScope} />
        <ScopeFact scope="region" value={row.region} onScope={onScope} />
        <ScopeFact scope="platform" value={row.platform} onScope={onScope} />
        <ScopeFact scope="sdk_version" value={row.sdk_version} onScope={onScope} />
        <Fact name={words.requestId}>
          {row.request_id === '' ? NOT_KNOWN : <code>{row.request_id}</code>}
        </Fact>
        {row.weight !== 1 && <Fact name={words.weight}>{words.weightValue(row.weight)}</Fact>}
      </dl>
    </>
  );
}

const NOT_KNOWN = <span className="dim">{words.notKnown}</span>;

function Delays({ row }: { readonly row: RequestRow }) {
  return (
    <>
      <Fact name={words.delay}>
        <Duration value={row.latency_ms} />
      </Fact>
      <Fact name={words.upstream}>
        {row.upstream_ms === null ? NOT_KNOWN : <Duration value={row.upstream_ms} />}
      </Fact>
      <Fact name={words.roundTrip}>{row.rtt_ms === null ? NOT_KNOWN : <Duration value={row.rtt_ms} />}</Fact>
    </>
  );
}

type ScopeFactProps = {
  readonly scope: Scope;
  readonly value: string;
  readonly onScope: (scope: Scope, value: string) => void;
};

function ScopeFact({ scope, value, onScope }: ScopeFactProps) {
  const name = texts.figure.scope[scope];
  return (
    <Fact name={name}>
      {value === '' ? (
        NOT_KNOWN
      ) : (
        <button
          type="button"
          className="link"
          title={words.narrowTo(name)}
          onClick={() => {
            onScope(scope, value);
          }}
        >
          {value}
        </button>
      )}
    </Fact>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
