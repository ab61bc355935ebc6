/*
 * Texts of failures: why there is no answer, and what helps.
 */
export const failureTexts = {
  /** Where no answer came; the service words its own errors. */
  byCode: {
    network_unreachable: 'The query service cannot be reached. Check the network and that it runs.',
    timed_out: 'The query service gave no answer within 30 s. A shorter window asks less of it.',
  },
  unreadable: (what: string) =>
    `An answer is not of the expected form. Reload the page: it may be older than the service. (${what})`,
  shownBelow: (clock: string) => ` Shown below: data of ${clock}.`,
  tryAgain: 'Try again',
};
