/* Calls of the command to the registry: bounded, checked, and failing with what to do. */
import type { Readable } from 'node:stream';
import { AskError } from '@imscope/schemas/query-api/ask.js';
import { type Call, createCall } from '@imscope/schemas/registry-api/call.js';
import { Agent, request } from 'undici';
import { failureCode, isNeverSent, printable } from '../command/http-answer.js';

export type RegistryClient = {
  /** Throws RegistryFailure. */
  readonly call: Call;
  /** As `call`, with a body that is read while it is sent. */
  importFile(
    body: Readable,
    contentType: 'text/csv' | 'application/x-ndjson',
    dryRun: boolean,
  ): ReturnType<Import>;
  close(): Promise<void>;
};
type Import = typeof importApplications;

/** No answer, or a refusal. */
export class RegistryFailure extends Error {
  /** The stable code of the registry's error answer, or of `AskError`. */
  readonly code: string;

  constructor(code: string, message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

const ANSWER_TIMEOUT_MS = 30_000;
/** An import is answered when its last row is stored. */
const IMPORT_TIMEOUT_MS = 30 * 60_000;
/** 1,000 applications of a page with texts of the largest size, or an application with every list full. */
const ANSWER_BYTES_MAX = 32 << 20;

export function openRegistry(url: URL, token: string): RegistryClient {
  const agent = new Agent({
    connections: 1,
    connect: { timeout: 5_000 },
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
    maxResponseSize: ANSWER_BYTES_MAX,
  });
  const authorization = `Bearer ${token}`;
  const call = createCall(async (path, { method, headers, body, signal }) => {
    const answer = await request(new URL(`.${path}`, url), {
      dispatcher: agent,
      method: checkedMethod(method),
      headers: { ...headers, authorization },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
    return { status: answer.statusCode, text: () => answer.body.text() };
  });
  return {
    call: async (...args) => call(...args).catch((error: unknown) => fail(error, url)),
    importFile: async (body, contentType, dryRun) =>
      importApplications({ agent, url, authorization, body, contentType, dryRun }).catch((error: unknown) =>
        fail(error, url),
      ),
    close: async () => agent.close(),
  };
}

/** The contract's own client with a transport that sends a stream in place of the body. */
async function importApplications(options: {
  readonly agent: Agent;
  readonly url: URL;
  readonly authorization: string;
  readonly body: Readable;
  readonly contentType: 'text/csv' | 'application/x-ndjson';
  readonly dryRun: boolean;
}) {
  const { agent, url, authorization, body, contentType, dryRun } = options;
  const call = createCall(async (path, { headers }) => {
    const answer = await request(new URL(`.${path}`, url), {
      dispatcher: agent,
      method: 'POST',
      headers: { ...headers, authorization },
      body,
      headersTimeout: IMPORT_TIMEOUT_MS,
      bodyTimeout: IMPORT_TIMEOUT_MS,
    });
    return { status: answer.statusCode, text: () => answer.body.text() };
  });
  return call('importApplications', {
    query: { dry_run: dryRun ? 'true' : 'false' },
    body: '',
    contentType,
  });
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

function checkedMethod(method: string): (typeof METHODS)[number] {
  const known = METHODS.find((one) => one === method);
  if (known === undefined) throw new Error(`the registry has no operation with method ${method}`);
  return known;
}

function fail(error: unknown, url: URL): never {
  if (!(error instanceof AskError)) throw error;
  const { code, status, message } = error;
  if (status === 0) {
    const advice = isNeverSent(error.cause)
      ? ': is it running? ./scripts/start runs a local one, --registry names another'
      : ': it may have been done; look before you try again';
    throw new RegistryFailure(
      code,
      `cannot reach the registry at ${url.origin} (${failureCode(error.cause)})${advice}`,
      error,
    );
  }
  throw new RegistryFailure(code, `${printable(message, 4_000)}${adviceOf(code)}`, error);
}

function adviceOf(code: string): string {
  if (code === 'invalid_token' || code === 'missing_token' || code === 'not_allowed') {
    return '; give a token with scope admin in IMSCOPE_ADMIN_TOKEN or --token-file';
  }
  return '';
}
