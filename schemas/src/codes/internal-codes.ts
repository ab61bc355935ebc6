/*
 * Result codes of internal services, 91000 to 91999.
 */
import type { CodeEntry } from './code-entry.js';

export const INTERNAL_CODES: readonly CodeEntry[] = [
  {
    code: 91000,
    name: 'internal_error',
    outcome: 'service_error',
    meaning: 'An internal service failed.',
    advice: "Look for errors of this interface's backend; callers may retry with backoff.",
  },
  {
    code: 91101,
    name: 'long_polling_replaced',
    outcome: 'caller_error',
    meaning: "A web client's long polling was replaced by a newer instance.",
    advice: 'Nothing to repair; raise the number of parallel web logins if users complain.',
  },
];
