/* The completeness of an answer as text for one line of a terminal. */
import type { Completeness } from '@imscope/schemas/query-api/envelope.js';
import { printable } from './command/http-answer.js';

/** Times are UTC. The ratio is rounded down, so that 100 % is never shown for an incomplete answer. */
export function completenessText(completeness: Completeness): string {
  const {
    status,
    ratio,
    watermark,
    silent_collectors,
    silent_collectors_left_out: leftOut = 0,
  } = completeness;
  const reach = watermark === null ? '' : `stored up to ${clock(watermark)}`;
  const [first, ...others] = silent_collectors;
  if (first !== undefined) {
    const moreCount = others.length + leftOut;
    const more = moreCount === 0 ? '' : ` and ${moreCount} more`;
    const name = printable(first.collector, 40);
    return `incomplete: collector ${name} silent since ${clock(first.last_heard)}${more}`;
  }
  if (status === 'complete') return 'complete';
  if (ratio !== null && ratio < 1) {
    const percent = (Math.floor(ratio * 10_000) / 100).toFixed(2);
    return [`incomplete: ${percent} % of it`, reach].filter((part) => part !== '').join(', ');
  }
  return reach === '' ? 'completeness not known' : reach;
}

export function clock(time: string): string {
  return printable(time.slice(11, 19), 8);
}
