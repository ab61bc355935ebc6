/* Reports every few seconds whether the database answers. */
import { errorMessage } from '@imscope/runtime/error-message.js';
import type { Running } from '@imscope/runtime/service.js';
import { waitUnlessStopping } from '@imscope/runtime/wait-unless-stopping.js';
import type { Reader } from './rows/application-rows.js';
import { newestRevision } from './rows/entries.js';

const CHECK_EVERY_MS = 5_000;

/** @param report called with what is wrong, without anything where it answers */
export function watchDatabase(db: Reader, report: (failure?: string) => void): Running {
  const stopping = new AbortController();
  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await newestRevision(db);
        report();
      } catch (error) {
        report(errorMessage(error));
      }
      await waitUnlessStopping(CHECK_EVERY_MS, stopping.signal);
    }
  };
  const ended = watch();
  return {
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}
