/*
 * How gateways report the callbacks that they make to an application's own server: as requests of an interface
 * `callback/<event>`, such as `callback/C2C.CallbackBeforeSendMsg`. The latency is that of the application's server. A
 * callback without an answer is a request with HTTP status 504, or 502 where the connection failed.
 */
export const CALLBACK_INTERFACE_PREFIX = 'callback/';

export function callbackInterface(event: string): string {
  return `${CALLBACK_INTERFACE_PREFIX}${event}`;
}

/** @returns undefined where the interface is no callback */
export function callbackEvent(interfaceName: string): string | undefined {
  if (!interfaceName.startsWith(CALLBACK_INTERFACE_PREFIX)) return undefined;
  return interfaceName.slice(CALLBACK_INTERFACE_PREFIX.length);
}
