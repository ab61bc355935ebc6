/*
 * Who changed an application, when, how and why, newest first.
 */
import type { AuditEntry } from '@imscope/schemas/registry-api/records.js';
import { useState } from 'react';
import { useRegistry } from '../../api/use-registry.js';
import { LocalTime } from '../../parts/local-time.js';
import { recordTexts } from '../../words/registry-record-texts.js';
import { PagedPanel } from './paged-panel.js';

const PAGE_ROWS = 20;
const words = recordTexts.audit;

export function AuditPanel({ sdkAppId }: { readonly sdkAppId: number }) {
  const [starts, setStarts] = useState<readonly string[]>([]);
  const after = starts.at(-1);
  const state = useRegistry('listAudit', {
    query: { sdk_app_id: sdkAppId, limit: PAGE_ROWS, ...(after === undefined ? {} : { after }) },
  });
  return (
    <PagedPanel
      name="audit"
      words={words}
      state={state}
      isEmpty={({ entries }) => entries.length === 0}
      skeletonRows={4}
      starts={starts}
      onStarts={setStarts}
      table={({ entries }) => <AuditTable entries={entries} />}
    />
  );
}

function AuditTable({ entries }: { readonly entries: readonly AuditEntry[] }) {
  const nowMs = Date.now();
  return (
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
        {entries.map(({ id, at, actor, action, reason }) => (
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
  );
}
