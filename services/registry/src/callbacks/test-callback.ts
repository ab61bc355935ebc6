/* The one call that an administrator asks for, with the checks of every use. */
import { type CallbackAnswer, type CallbackServices, callCallback } from './call-callback.js';

/** An event that no gateway sends. The body says nothing else. */
const BODY = JSON.stringify({ event: 'test' });

/** @throws HttpError as `callCallback` */
export function createCallbackTest(
  services: CallbackServices,
): (url: string, timeoutMs: number) => Promise<CallbackAnswer> {
  return async (url, timeoutMs) =>
    callCallback(
      {
        url,
        body: BODY,
        headers: { 'content-type': 'application/json', 'user-agent': 'imscope-registry' },
        timeoutMs,
      },
      services,
    );
}
