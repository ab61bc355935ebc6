/*
 * Texts of the notice about records that collectors refused.
 */
import { formatCount } from './format-number.js';

export const refusalTexts = {
  record: (records: number) => (records === 1 ? 'record' : 'records'),
  ofFleet: 'refused in this window, and in no figure below',
  ofApplication: 'of this application refused in this window, and in no figure below',
  inLog:
    'The collector’s log names the token or the file, and a field of one example: look for “records are refused”.',
  noApplication: 'no application',
  noApplicationTitle: 'They name no application that their token speaks for, or cannot be read',
  moreApplications: (count: number) => `and ${formatCount(count)} more applications`,
  reason: (reason: string, records: number) => `${reason} ${formatCount(records)}`,
  reasons: (named: readonly string[], more: number) =>
    more === 0 ? named.join(', ') : `${named.join(', ')} and ${more.toString()} more`,
};
