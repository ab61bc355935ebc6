/*
 * Says when successes were sampled, and whether the figures on the page are exact all the same. Where nothing was
 * sampled there is nothing to say: metrics and logs give the same figures.
 */
import type { Window } from '@imscope/schemas/query-api/answers.js';
import { formatShare } from './format-number.js';
import { formatMinute } from './format-time.js';

/** null where there is nothing to say. */
export function sourceWords(window: Window, nowMs: number, zone?: string): string | null {
  const { logged_share: share } = window;
  if (share === null || share >= 1) return null;
  return `Sampled: ${formatShare(share)} of the requests are logged one by one. ${figures(window, nowMs, zone)}`;
}

function figures({ source, metrics }: Window, nowMs: number, zone?: string): string {
  if (source === 'metrics') return 'Headline figures count every request.';
  if (source === 'logs' || metrics === null) return 'Headline figures are estimates from the logs.';
  const [from, to] = [metrics.from, metrics.to].map((time) => formatMinute(Date.parse(time), nowMs, zone));
  return `Headline figures count every request from ${from} to ${to}; the rest is estimated from the logs.`;
}
