/* The line of refused records by reason and application, for a terminal. Pure. */
import type { FleetRefusals } from '@imscope/schemas/query-api/fleet-refusals.js';
import { printable } from './command/http-answer.js';
import { count } from './command/count.js';

/** Width of ", and 12,345 more". */
const MORE_WIDTH = 20;

/** At most `width` characters, most frequent refusals first; empty where nothing was refused. */
export function refusalsText({ records, applications }: FleetRefusals, width: number): string {
  if (records === 0) return '';
  const pairs = applications
    .flatMap(({ sdk_app_id: id, reasons }) => reasons.map((reason) => ({ id, ...reason })))
    .toSorted((a, b) => b.records - a.records)
    .map(({ id, reason, records: refused }) => `${reason} ${count(refused)} of ${id ?? 'no application'}`);
  let text = `refused ${count(records)} ${records === 1 ? 'record' : 'records'}`;
  let shown = 0;
  for (const pair of pairs) {
    const longer = `${text}${shown === 0 ? ': ' : ', '}${pair}`;
    const isLast = shown === pairs.length - 1;
    if (longer.length + (isLast ? 0 : MORE_WIDTH) > width) break;
    text = longer;
    shown += 1;
  }
  const left = pairs.length - shown;
  return printable(left === 0 || shown === 0 ? text : `${text}, and ${count(left)} more`, width);
}
