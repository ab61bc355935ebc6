/*
 * Result codes of content filtering and suspension, 80000 to 89999.
 */
import type { CodeEntry } from './code-entry.js';

export const CONTENT_CODES: readonly CodeEntry[] = [
  {
    code: 80001,
    name: 'text_filtered',
    outcome: 'caller_error',
    meaning: 'The text was stopped by content filtering.',
    advice: "Have the user change the text; check the filter's word list if too much is stopped.",
  },
  {
    code: 80002,
    name: 'message_too_long',
    outcome: 'caller_error',
    meaning: 'The message body exceeds the allowed size of some kilobytes.',
    advice: 'Shorten the message, or send a link to the content.',
  },
  // The callback server is the caller's own, so the time-out is not the service's.
  {
    code: 80003,
    name: 'callback_before_send_failed',
    outcome: 'caller_error',
    meaning:
      "The application's callback before sending failed or answered too late; the message was held back.",
    advice: "Look at the application's callback server, and at the policy for late answers.",
  },
  {
    code: 80004,
    name: 'image_filtered',
    outcome: 'caller_error',
    meaning: 'The image was stopped by content filtering.',
    advice: 'Have the user choose another image.',
  },
  {
    code: 80005,
    name: 'service_suspended',
    outcome: 'caller_error',
    meaning: 'The service was suspended: package expired or account in arrears.',
    advice: 'Renew the package or settle the account.',
  },
  {
    code: 80101,
    name: 'message_filtered',
    outcome: 'caller_error',
    meaning: 'The message was stopped by content filtering.',
    advice: 'Have the user change the message.',
  },
];
