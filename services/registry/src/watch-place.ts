/* Reports every few seconds whether a place of what the registry keeps answers. */
import { errorMessage } from '@imscope/runtime/error-message.js';
import type { Running } from '@imscope/runtime/service.js';
import { waitUnlessStopping } from '@imscope/runtime/wait-unless-stopping.js';

const CHECK_EVERY_MS = 5_000;

/**
 * @param ask rejects where the place does not answer
 * @param report called with what is wrong, without anything where it answers
 */
export function watchPlace(ask: () => Promise<unknown>, report: (failure?: string) => void): Running {
  const stopping = new AbortController();
  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await ask();
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
