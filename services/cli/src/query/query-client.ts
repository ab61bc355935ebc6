/* Questions of the command to the query service: bounded, checked, and failing with what to do. */
import { type Ask, AskError, createAsk, type Transport } from '@imscope/schemas/query-api/ask.js';
import type { FleetRefusals } from '@imscope/schemas/query-api/fleet-refusals.js';
import type { AnswerTo } from '@imscope/schemas/query-api/questions.js';
import { Agent, request } from 'undici';
import { answerErrorMessage, failureCode, isNeverSent, printable } from '../command/http-answer.js';

export type ApplicationsAnswer = AnswerTo<'applications'>;

export type QueryClient = {
  /** Throws QueryFailure. */
  readonly ask: Ask;
  /** Applications over the last `window`, such as `15m`, worst first. Throws QueryFailure. */
  applications(window: string, signal: AbortSignal): Promise<ApplicationsAnswer>;
  /** Records refused over the last `window`; undefined where the service does not say. Throws QueryFailure. */
  refusals(window: string, signal: AbortSignal): Promise<FleetRefusals | undefined>;
  /** Collectors heard in the last `window`. Throws QueryFailure. */
  collectors(window: string, signal: AbortSignal): Promise<AnswerTo<'collectors'>>;
  close(): Promise<void>;
};

/** No answer. `final`: asking again will not help. */
export class QueryFailure extends Error {
  readonly final: boolean;
  /** The service refuses the parameters. */
  readonly isUsage: boolean;

  constructor(
    message: string,
    { final, isUsage = false }: { readonly final: boolean; readonly isUsage?: boolean },
    cause?: unknown,
  ) {
    super(message, { cause });
    this.final = final;
    this.isUsage = isUsage;
  }
}

const ANSWER_TIMEOUT_MS = 30_000;
/** As many as the service gives at once. */
const LISTED_MAX = 1_000;
/** 1,000 applications of at most 120 sparkline steps of 100 bytes. */
const ANSWER_BYTES_MAX = 32 << 20;
/** Lengths of a window that are a `step` as well. */
const STEP_SUFFIX = /^([1-9]\d{0,4})([smhd])$/;

export function openQuery(url: URL, token: string): QueryClient {
  const agent = new Agent({
    connections: 1,
    connect: { timeout: 5_000 },
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
    maxResponseSize: ANSWER_BYTES_MAX,
  });
  const transport: Transport = async (path, { method, headers, body: sent, signal }) => {
    const { statusCode, body } = await request(new URL(`.${path}`, url), {
      dispatcher: agent,
      method,
      headers: { ...headers, authorization: `Bearer ${token}` },
      ...(sent === undefined ? {} : { body: sent }),
      ...(signal === undefined ? {} : { signal }),
    });
    return { status: statusCode, text: () => body.text() };
  };
  const ask = createAsk(transport);
  return {
    ask: async (question, parameters, signal) => {
      try {
        return await ask(question, parameters, signal);
      } catch (error) {
        if (signal?.aborted === true) throw error;
        throw failureOf(error, url);
      }
    },
    applications: async (window, signal) => {
      // A step as long as the window: sparklines of one or two points, since the table shows none.
      const step = STEP_SUFFIX.test(window) ? { step: window } : {};
      try {
        return await ask('applications', { from: `now-${window}`, ...step, limit: LISTED_MAX }, signal);
      } catch (error) {
        throw failureOf(error, url);
      }
    },
    refusals: async (window, signal) => {
      try {
        const { data } = await ask('fleetRefusals', { from: `now-${window}` }, signal);
        return data;
      } catch (error) {
        // The table is worth showing without them: a service of an earlier version does not know the question.
        if (error instanceof AskError && error.status !== 0) return undefined;
        throw failureOf(error, url);
      }
    },
    collectors: async (window, signal) => {
      try {
        return await ask('collectors', { from: `now-${window}` }, signal);
      } catch (error) {
        throw failureOf(error, url);
      }
    },
    close: async () => agent.close(),
  };
}

function failureOf(error: unknown, url: URL): QueryFailure {
  if (error instanceof AskError && error.status !== 0) return refusalOf(error, url);
  const cause = error instanceof AskError ? error.cause : error;
  const advice = isNeverSent(cause)
    ? ': is it running? ./scripts/start runs a local one, --query names another'
    : '';
  return new QueryFailure(
    `cannot reach the query service at ${url.origin} (${failureCode(cause)})${advice}`,
    { final: false },
    cause,
  );
}

function refusalOf({ code, status, message: words, received }: AskError, url: URL): QueryFailure {
  if (status === 200) {
    return new QueryFailure(
      `what answers at ${url.origin} is no query service of this version: check --query`,
      { final: true },
    );
  }
  const message =
    code === 'unreadable_answer'
      ? answerErrorMessage(status, received)
      : printable(`${status} ${code}: ${words}`, 500);
  if (status === 403) return new QueryFailure(`the query service refuses this: ${message}`, { final: true });
  if (status === 401) {
    return new QueryFailure(
      `the query service refuses the token: ${message}; give one with scope read in IMSCOPE_READ_TOKEN or --token-file`,
      { final: true },
    );
  }
  const final = status >= 400 && status < 500 && status !== 429;
  return new QueryFailure(`the query service at ${url.origin} answers ${message}`, {
    final,
    isUsage: status === 400,
  });
}
