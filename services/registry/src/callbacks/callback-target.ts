/*
 * Reads a callback URL. What another URL parser could read as another host is refused: gateways call the URL too, with
 * parsers of their own. So the host must be written as it is understood.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { isIP } from 'node:net';

export type CallbackTarget = {
  readonly url: URL;
  /** A DNS name, or an address without brackets. */
  readonly host: string;
  readonly isAddress: boolean;
  readonly port: number;
  readonly isSecure: boolean;
};

export const CALLBACK_URL_LENGTH_MAX = 2_048;
/** Lower ports belong to other protocols, which might take a line of the request for a command of theirs. */
const PORT_MIN = 1_024;
const WEB_PORTS: ReadonlySet<number> = new Set([80, 443]);

/** The characters of RFC 3986: no backslash, no blank, no control character, nothing beyond ASCII. */
const URL_CHARACTERS = /^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+$/;
const SCHEME_AND_AUTHORITY = /^(https?):\/\/([^/?#]*)/i;
const DNS_NAME =
  /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Names that never lead outside (RFC 6761, 6762, 7686, 8375, ICANN). */
const INSIDE_NAME = /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home\.arpa|onion|arpa)$/;

/** @throws HttpError invalid_parameter */
export function readCallbackTarget(text: string): CallbackTarget {
  if (text.length > CALLBACK_URL_LENGTH_MAX) {
    throw refused(`it has ${text.length} characters`, `at most ${CALLBACK_URL_LENGTH_MAX}`);
  }
  if (!URL_CHARACTERS.test(text)) {
    throw refused(
      'it has characters that no URL has',
      'percent-encode them in the path, write the host in ASCII',
    );
  }
  const [, scheme, authority] = SCHEME_AND_AUTHORITY.exec(text) ?? [];
  if (scheme === undefined || authority === undefined || !URL.canParse(text)) {
    throw refused('it is no http or https URL', 'such as https://callback.example.com/im');
  }
  if (authority.includes('@')) {
    throw refused('it holds credentials', 'give it without user and password');
  }
  const url = new URL(text);
  const written = authority.replace(/:\d*$/, '').toLowerCase();
  if (url.hostname !== written) {
    throw refused(`its host "${written}" means "${url.hostname}"`, 'write the host as it is understood');
  }
  return { url, ...readHost(url.hostname), ...readPort(url) };
}

function readHost(hostname: string): Pick<CallbackTarget, 'host' | 'isAddress'> {
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  if (isIP(host) !== 0) return { host, isAddress: true };
  if (!DNS_NAME.test(host)) {
    throw refused(`its host "${host}" is no complete DNS name`, 'a name with a dot, without one at the end');
  }
  if (INSIDE_NAME.test(host)) {
    throw refused(`its host "${host}" is a name of an inside network`, 'a name of the public DNS');
  }
  return { host, isAddress: false };
}

function readPort(url: URL): Pick<CallbackTarget, 'port' | 'isSecure'> {
  const isSecure = url.protocol === 'https:';
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port);
  if (port < PORT_MIN && !WEB_PORTS.has(port)) {
    throw refused(`its port is ${port}`, `80, 443 or ${PORT_MIN} to 65535`);
  }
  return { port, isSecure };
}

export function refused(why: string, allowed: string): HttpError {
  return new HttpError('invalid_parameter', `the callback URL is refused: ${why}; allowed: ${allowed}`);
}
