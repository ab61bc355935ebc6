/*
 * Texts of lists and tables on any page.
 */
import { formatExact } from './format-number.js';

export const listTexts = {
  worstFirst: 'Worst first: failing, degraded, healthy, not judged; then by service errors, then by requests',
  showFewer: 'Show fewer',
  showAll: (count: number) => `Show all ${count.toString()}`,
  loading: 'Loading',
  clear: 'Clear',
  remove: 'Remove',
  removeFilter: (label: string, value: string) => `Remove the filter ${label} ${value}`,
  leftOut: {
    application: (count: number, why: string) => leftOut(count, 'application is', 'applications are', why),
    interface: (count: number, why: string) => leftOut(count, 'interface is', 'interfaces are', why),
    code: (count: number, why: string) => leftOut(count, 'code is', 'codes are', why),
    exceptionGroup: (count: number, why: string) => leftOut(count, 'group is', 'groups are', why),
  },
  /** Which entries a list holds, as the end of a sentence. */
  listed: {
    worstFirst: (count: number) => `the answer lists ${formatExact(count)}, worst first`,
    mostFrequent: (count: number) => `the answer lists the ${formatExact(count)} most frequent`,
    serviceErrorsFirst: (count: number) =>
      `the answer lists ${formatExact(count)}, service errors before others`,
  },
};

function leftOut(count: number, one: string, several: string, why: string): string {
  return `${formatExact(count)} more ${count === 1 ? one : several} left out: ${why}.`;
}
