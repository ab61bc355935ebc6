/* The completeness of an answer as text for one line of a terminal. */
import type { Completeness } from '@imscope/schemas/query-api/envelope.js';
import { count } from '../command/count.js';
import { printable } from '../command/http-answer.js';

/**
 * Times are UTC. The ratio is rounded down, so that 100 % is never shown for an incomplete answer. Where an answer has
 * bounds of its success rate, or says whose fault it is, that follows.
 */
export function completenessText(completeness: Completeness): string {
  const bounds = boundsText(completeness);
  const fault = faultText(completeness);
  return [stateText(completeness), bounds, fault].filter((part) => part !== '').join(', ');
}

/** Only where the bounds differ. */
function boundsText({ success_rate: bounds, missing_max: missing }: Completeness): string {
  if (bounds === undefined || bounds === null || missing === undefined || missing === null || missing === 0)
    return '';
  return `success between ${percentText(bounds.least)} and ${percentText(bounds.greatest)}`;
}

function faultText({ verdict }: Completeness): string {
  if (verdict?.fault === 'service_fault') return 'fault of the service';
  return verdict?.fault === 'telemetry_fault' ? 'fault of the telemetry' : '';
}

function percentText(share: number): string {
  return `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;
}

function stateText(completeness: Completeness): string {
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
    return [`incomplete: ${percentText(ratio)} of it`, reach, goneText(completeness)]
      .filter((part) => part !== '')
      .join(', ');
  }
  return reach === '' ? 'completeness not known' : reach;
}

/** Records that are lost with retired collectors. */
function goneText({ retired }: Completeness): string {
  return retired === undefined
    ? ''
    : `at most ${count(retired.lost_max)} records lost with retired collectors`;
}

export function clock(time: string): string {
  return printable(time.slice(11, 19), 8);
}
