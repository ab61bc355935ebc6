/*
 * How often an application may call an interface, as the vendor publishes it. The registry may set another limit for an
 * application and interface. Gateways keep these limits; here they are compared with what came.
 */
import { callbackEvent } from './callback-interface.js';

const MOST = 200;

/** Calls a second where it is another number than MOST. */
const OTHERS: ReadonlyMap<string, number> = new Map([
  ['im_open_login_svc/multiaccount_import', 100],
  ['im_open_login_svc/account_check', 100],
  ['im_open_login_svc/account_delete', 100],
  ['all_member_push/im_push', 1],
]);

/** From this share of a limit on, callers are warned. */
export const LIMIT_WARNED_FROM = 0.8;

/** Calls a second; null where there is no limit: callbacks are calls to the application's own server. */
export function publishedLimit(name: string): number | null {
  if (callbackEvent(name) !== undefined) return null;
  return OTHERS.get(name) ?? MOST;
}
