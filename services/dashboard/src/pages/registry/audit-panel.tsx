/*
 * Who changed an application, when, how and why, newest first.
 */
import { useState } from 'react';
import { useRegistry } from '../../api/use-registry.js';
import { LocalTime } from '../../parts/local-time.js';
import { Failure, Skeleton } from '../../parts/panel.js';
import { recordTexts } from '../../words/registry-record-texts.js';
import { Paging } from './paging.js';

const PAGE_ROWS = 20;
const words = recordTexts.audit;

export function AuditPanel({ sdkAppId }: { readonly sdkAppId: number }) {
  const [starts, setStarts] = useState<readonly string[]>([]);
  const after = starts.at(-1);
  const state = useRegistry('listAudit', {
    query: { sdk_app_id: sdkAppId, limit: PAGE_ROWS, ...(after === undefined ? {} : { after }) },
  });
  const { answer, error, stale } = state;
  const nowMs = Date.now();
  return (
    <section id="audit" className="panel" aria-label={words.title} data-testid="audit">
      <header className="panel-head">
        <h2>{words.title}</h2>
      </header>
      {error !== null && <Failure error={error} state={state} />}
      {answer === null
        ? error === null && <Skeleton rows={4} />
        : answer.entries.length === 0 && <p className="quiet">{words.none}</p>}
      {answer !== null && answer.entries.length > 0 && (
        <div
          className={`scroll-x ${stale ? 'stale' : ''}`}
          aria-busy={stale}
          tabIndex={0}
          role="region"
          aria-label={words.table}
        >
          <table>
            <thead>
              <tr>
                {[words.at, words.actor, words.action, words.reason].map((title) => (
                  <th key={title} scope="col">
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {answer.entries.map(({ id, at, actor, action, reason }) => (
                <tr key={id} data-testid="audit-entry" data-value={action}>
                  <td>
                    <LocalTime at={at} nowMs={nowMs} />
                  </td>
                  <td className="reason" title={actor}>
                    {actor}
                  </td>
                  <td>
                    <code>{action}</code>
                  </td>
                  <td className="reason" title={reason}>
                    {reason}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {answer !== null && (
        <Paging label={words.pages} name="audit" starts={starts} next={answer.next} onStarts={setStarts} />
      )}
    </section>
  );
}
