/*
 * The span of event times that the accounts of a history collector cover. Accounts of any other collector cover the
 * time in which it accepted records. A history of several days is accepted within minutes, so its accounts name the span.
 */
import type { CoveredSpan } from './spool/segment-head.js';
import type { CollectorConfig } from './config.js';

/** Undefined for a collector that accepts no history. */
export function historySpan({
  historyFrom,
  historyTo,
}: Pick<CollectorConfig, 'historyFrom' | 'historyTo'>): CoveredSpan | undefined {
  if (historyFrom === '' || historyTo === '') return undefined;
  return { fromMs: Date.parse(historyFrom), toMs: Date.parse(historyTo) };
}

/** What is wrong with the two settings together. */
export function checkHistorySettings({ historyFrom, historyTo }: Partial<CollectorConfig>): string[] {
  if (historyFrom === undefined || historyTo === undefined) return [];
  if ((historyFrom === '') !== (historyTo === '')) {
    return ['HISTORY_FROM and HISTORY_TO are the two ends of one span: give both, or none of them'];
  }
  const span = historySpan({ historyFrom, historyTo });
  if (span === undefined) return [];
  if (Number.isNaN(span.fromMs) || Number.isNaN(span.toMs)) {
    return [`HISTORY_FROM is "${historyFrom}" and HISTORY_TO "${historyTo}": give two times that exist`];
  }
  if (span.fromMs >= span.toMs) {
    return [
      `HISTORY_FROM is "${historyFrom}" and HISTORY_TO "${historyTo}": give an earlier and a later time`,
    ];
  }
  return [];
}
