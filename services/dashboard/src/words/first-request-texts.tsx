/*
 * Texts where a window holds nothing: what to do for a first request to show.
 */
import type { ReactNode } from 'react';
import { LOGS_KEPT_DAYS } from '../state/time-window.js';

export const firstRequestTexts = {
  title: 'No requests in this window',
  advice: (window: string) =>
    `Nothing is stored for this window (${window}). Look further back, or send a first request to the collector: it shows here about a second later.`,
  lastDay: 'Last 24 hours',
  completeTerm: `Last ${LOGS_KEPT_DAYS.toString()} days`,
  accessLog: (command: ReactNode): ReactNode => <>A gateway's access log goes in with {command}.</>,
};
