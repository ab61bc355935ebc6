/*
 * Texts of the time window: its presets, the picker, and what of it an answer covers. The terms are those of
 * schemas/src/retention.ts.
 */
import { LOGS_KEPT_DAYS } from '../state/time-window.js';

const LOGS_KEPT = `Logs are kept ${LOGS_KEPT_DAYS.toString()} days`;

export const windowTexts = {
  group: 'Time span',
  preset: {
    'now-15m': { label: '15 m', title: 'Last 15 minutes' },
    'now-1h': { label: '1 h', title: 'Last hour' },
    'now-6h': { label: '6 h', title: 'Last 6 hours' },
    'now-24h': { label: '24 h', title: 'Last 24 hours' },
    /** As long as logs are kept. */
    term: { label: `${LOGS_KEPT_DAYS.toString()} d`, title: `Last ${LOGS_KEPT_DAYS.toString()} days` },
  },
  last: (span: string) => `Last ${span}`,
  /** Of a window whose end moves with the clock. */
  now: 'now',
  between: (from: string, to: string, span: string) => `${from} – ${to} (${span})`,
  clipped: (span: string) => `${LOGS_KEPT}: showing ${span}`,
  custom: 'Custom',
  customTitle: 'A span of your own',
  from: 'From',
  to: 'To (empty: now)',
  hint: (zone: string) => `Times of ${zone}. Half open: the end is not in it. ${LOGS_KEPT}.`,
  show: 'Show this span',
  problem: {
    noBegin: 'Give the time it begins.',
    unreadableEnd: 'The time it ends cannot be read.',
    endsBeforeBegin: 'It must begin before it ends.',
    beginsTooEarly: `${LOGS_KEPT}: begin later.`,
  },
};
