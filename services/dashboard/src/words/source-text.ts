/*
 * Says that successes were sampled, and which figures of the page are exact all the same. Where nothing was sampled,
 * metrics and logs give the same figures and there is no text.
 */
import type { Window } from '@imscope/schemas/query-api/envelope.js';
import { formatMinute } from './format-time.js';
import { texts } from './texts.js';

/** null where there is nothing to say. */
export function sourceText(window: Window, nowMs: number, zone?: string): string | null {
  const { logged_share: share } = window;
  if (share === null || share >= 1) return null;
  return texts.application.source.sampled(share, figuresText(window, nowMs, zone));
}

function figuresText({ source, metrics }: Window, nowMs: number, zone?: string): string {
  const words = texts.application.source;
  if (source === 'metrics') return words.exact;
  if (source === 'logs' || metrics === null) return words.estimated;
  const minute = (time: string): string => formatMinute(Date.parse(time), nowMs, zone);
  return words.partlyExact(minute(metrics.from), minute(metrics.to));
}
