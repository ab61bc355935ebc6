/*
 * The event times a collector of a history vouches for. Accounts of any other collector vouch for the time in which it
 * accepted records; a history was accepted within minutes and is of days, so its accounts have to say which.
 */
import type { CoveredSpan } from './spool/segment-head.js';
import type { CollectorConfig } from './config.js';

/** Undefined for a collector that takes in no history. */
export function historySpan({
  historyFrom,
  historyTo,
}: Pick<CollectorConfig, 'historyFrom' | 'historyTo'>): CoveredSpan | undefined {
  if (historyFrom === '' || historyTo === '') return undefined;
  return { fromMs: Date.parse(historyFrom), toMs: Date.parse(historyTo) };
}

/** What is wrong with the two settings beside each other. */
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
