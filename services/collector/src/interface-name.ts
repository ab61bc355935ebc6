/*
 * The name of an interface as it is stored: `<service>/<command>`, such as `openim/sendmsg`. This is the one
 * place where a path becomes a name; taking ids and numbers out of paths belongs here.
 */
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { Rejection, showValue } from './reject-reasons.js';

/** `{id}` is what a source that takes ids out of paths by itself puts in their place. */
const NAME = /^(?:[A-Za-z0-9_.-]+|\{id\})(?:\/(?:[A-Za-z0-9_.-]+|\{id\}))*$/;
const VERSION_PREFIX = '/v4/';

/** The stored name: a leading `/v4/` or `/` is taken off, the rest stays as given. */
export function interfaceName(text: string): string | Rejection {
  const start = text.startsWith(VERSION_PREFIX) ? VERSION_PREFIX.length : text.startsWith('/') ? 1 : 0;
  const name = start === 0 ? text : text.slice(start);
  if (name.length > REQUEST_LOG_BOUNDS.interfaceLengthMax) {
    return new Rejection(
      'too_long',
      `interface has ${name.length} characters: at most ${REQUEST_LOG_BOUNDS.interfaceLengthMax} are taken`,
    );
  }
  if (NAME.test(name)) return name;
  return new Rejection(
    'invalid_interface',
    `interface is ${showValue(text)}: give words of letters, digits, "_", "." and "-", or {id}, with "/" between, such as openim/sendmsg`,
  );
}
