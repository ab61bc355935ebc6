/*
 * Texts of what the registry keeps beside applications: audit and purges. Loaded with the registry's pages.
 */
import type { PurgeCertificate } from '@imscope/schemas/registry-api/records.js';
import { formatExact } from './format-number.js';

type Place = PurgeCertificate['places'][number];

const PLACES: Readonly<Record<Place['place'], string>> = {
  distribution: 'distribution',
  trtc: 'audio/video service',
  documents: 'documents',
  objects: 'objects',
  telemetry: 'records and figures',
  rows: 'rows',
};

export const recordTexts = {
  audit: {
    title: 'Audit',
    table: 'Entries of the audit',
    pages: 'Pages of the audit',
    at: 'When',
    actor: 'By',
    action: 'Action',
    reason: 'Reason',
    none: 'Nothing was changed yet.',
  },
  purges: {
    title: 'Purges',
    table: 'Certificates of purges',
    pages: 'Pages of the purges',
    none: 'No application was purged yet.',
    terminated: 'Terminated',
    due: 'Purged from',
    latest: 'Promised by',
    completed: 'Completed',
    notYet: 'not yet',
    places: 'Places',
    backups: 'In backups until',
    noBackups: 'in none',
    place: ({ place, state, deleted }: Place): string => {
      if (state === 'not_used') return `${PLACES[place]}: not used`;
      return state === 'open'
        ? `${PLACES[place]}: open`
        : `${PLACES[place]}: ${formatExact(deleted)} deleted`;
    },
  },
};
