/*
 * Shows in `/ready` which of the places does not answer. Without the database no request is served, so the service is not
 * ready. Without documents or objects the other operations are, such as the end of
 * a token: a note.
 */
import type { Running } from '@imscope/runtime/service.js';
import type { Readiness } from '@imscope/runtime/readiness.js';
import type { RegistryPlaces } from './open-state.js';
import { newestRevision } from './rows/entries.js';
import { watchPlace } from './watch-place.js';

/** Only whether there is an answer counts. */
const NO_OBJECT = 'certificates/none';

export function watchPlaces(
  { database, documents, objects }: Pick<RegistryPlaces, 'database' | 'documents' | 'objects'>,
  readiness: Pick<Readiness, 'report' | 'note'>,
): Running[] {
  return [
    watchPlace(
      () => newestRevision(database.kysely),
      (failure) => readiness.report('database', failure),
    ),
    watchPlace(
      () => documents.ping(),
      (failure) =>
        readiness.note('documents', failure && `applications can be neither read nor changed: ${failure}`),
    ),
    watchPlace(
      () => objects.get(NO_OBJECT),
      (failure) =>
        readiness.note(
          'objects',
          failure && `certificates, exports and backups can be neither read nor written: ${failure}`,
        ),
    ),
  ];
}
