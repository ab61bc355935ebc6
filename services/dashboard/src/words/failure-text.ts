/*
 * A failure as text. The service words its own errors; where no answer came, or one that cannot be read, the dashboard
 * does.
 */
import { texts } from './texts.js';

type Failure = { readonly code: string; readonly message: string };

export function failureText({ code, message }: Failure): string {
  const { byCode, unreadable } = texts.failure;
  if (code === 'unreadable_answer') return unreadable(message);
  return code === 'network_unreachable' || code === 'timed_out' ? byCode[code] : message;
}
