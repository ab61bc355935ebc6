/*
 * Calls a callback URL once. The host is looked up and checked for this call, and the connection goes to an address that
 * was checked, whatever DNS answers meanwhile. Redirects are not followed. A connection serves one call.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { errorMessage } from '@imscope/runtime/error-message.js';
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { type CallbackChecks, checkCallbackUrl } from './check-callback-url.js';

export type CallbackCall = {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** From the look-up to the last byte of the answer. */
  readonly timeoutMs: number;
};

export type CallbackServices = CallbackChecks & {
  /** Certificates (PEM) of further authorities to trust. */
  readonly ca?: string;
};

export type CallbackAnswer = {
  /** The address that was called. */
  readonly address: string;
  readonly status: number;
  readonly body: string;
  readonly durationMs: number;
};

/** A longer answer is an error. */
const ANSWER_BYTES_MAX = 65_536;

/** @throws HttpError invalid_parameter for a URL that is not allowed, timeout, unavailable for every other failure */
export async function callCallback(call: CallbackCall, services: CallbackServices): Promise<CallbackAnswer> {
  const startedMs = performance.now();
  const signal = AbortSignal.timeout(call.timeoutMs);
  const { target, addresses } = await untilAborted(checkCallbackUrl(call.url, services), signal, call);
  const { request, agent } = openRequest(call, target, addresses, services, signal);
  try {
    const { response, address } = await answered(request, services);
    const body = await readBody(response);
    return { address, status: response.statusCode ?? 0, body, durationMs: performance.now() - startedMs };
  } catch (error) {
    if (error instanceof HttpError) throw error;
    if (signal.aborted) throw timedOut(call);
    throw new HttpError('unavailable', `the callback failed: ${errorMessage(error)}; look at its server`, {
      cause: error,
    });
  } finally {
    request.destroy();
    agent.destroy();
  }
}

function openRequest(
  { body, headers }: CallbackCall,
  { url, host, isAddress, isSecure, port }: Awaited<ReturnType<typeof checkCallbackUrl>>['target'],
  addresses: readonly string[],
  { ca }: CallbackServices,
  signal: AbortSignal,
): { request: http.ClientRequest; agent: http.Agent } {
  const options: https.RequestOptions = {
    method: 'POST',
    host,
    port,
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
    lookup: pinned(addresses),
    signal,
  };
  const agent = isSecure
    ? new https.Agent({ keepAlive: false, maxCachedSessions: 0 })
    : new http.Agent({ keepAlive: false });
  const tls = {
    rejectUnauthorized: true,
    ...(isAddress ? {} : { servername: host }),
    ...(ca === undefined ? {} : { ca }),
  };
  const request = isSecure
    ? https.request({ ...options, ...tls, agent })
    : http.request({ ...options, agent });
  request.end(body);
  return { request, agent };
}

/** Answers every look-up with the addresses that were checked. */
function pinned(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, callback) => {
    if (options.all === true) callback(null, all);
    else callback(null, all[0]?.address ?? '', all[0]?.family);
  };
}

/** The address is that of the socket, checked once more: a second wall. */
async function answered(
  request: http.ClientRequest,
  { isAddressAllowed }: CallbackServices,
): Promise<{ response: http.IncomingMessage; address: string }> {
  const answer = Promise.withResolvers<{ response: http.IncomingMessage; address: string }>();
  let address = '';
  request.on('error', answer.reject);
  request.on('socket', (socket) => {
    socket.once('connect', () => {
      address = socket.remoteAddress ?? '';
      if (!isAddressAllowed(address)) {
        request.destroy(new Error('connected to an address that is not public'));
      }
    });
  });
  request.on('response', (response) => answer.resolve({ response, address }));
  return answer.promise;
}

async function readBody(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    const buffer: Buffer = chunk;
    bytes += buffer.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`its answer is longer than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal, call: CallbackCall): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(timedOut(call));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function timedOut({ timeoutMs }: CallbackCall): HttpError {
  return new HttpError('timeout', `the callback did not answer within ${timeoutMs} ms; look at its server`);
}
