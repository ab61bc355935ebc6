/* Questions of the command to the query service: bounded, checked, and failing with what to do. */
import { answerOf, ApplicationRow, listAnswerOf } from '@imscope/schemas/query-api/answers.js';
import { FleetRefusals } from '@imscope/schemas/query-api/refusals.js';
import type { Static } from 'typebox';
import { Value } from 'typebox/value';
import { Agent, request } from 'undici';
import { answerErrorMessage, failureCode, isNeverSent, parseJson } from './http-answer.js';

const ApplicationsAnswer = listAnswerOf(ApplicationRow);
export type ApplicationsAnswer = Static<typeof ApplicationsAnswer>;
const RefusalsAnswer = answerOf(FleetRefusals);

export type QueryClient = {
  /** Applications over the last `window`, such as `15m`, worst first. Throws QueryFailure. */
  applications(window: string, signal: AbortSignal): Promise<ApplicationsAnswer>;
  /** Records refused over the last `window`; undefined where the service does not say. Throws QueryFailure. */
  refusals(window: string, signal: AbortSignal): Promise<FleetRefusals | undefined>;
  close(): Promise<void>;
};

/** No answer. `final`: asking again will not help. */
export class QueryFailure extends Error {
  readonly final: boolean;

  constructor(message: string, final: boolean, cause?: unknown) {
    super(message, { cause });
    this.final = final;
  }
}

const ANSWER_TIMEOUT_MS = 30_000;
/** 1,000 applications of at most 120 sparkline steps of 100 bytes. */
const ANSWER_BYTES_MAX = 32 << 20;
/** `step` as long as the window: sparklines of one or two points, for a table shows none. */
const STEP_SUFFIX = /^([1-9]\d{0,4})([smhd])$/;

export function openQuery(url: URL, token: string): QueryClient {
  const agent = new Agent({
    connections: 1,
    connect: { timeout: 5_000 },
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
    maxResponseSize: ANSWER_BYTES_MAX,
  });
  return {
    applications: async (window, signal) => {
      const address = new URL('v1/applications', url);
      address.searchParams.set('from', `now-${window}`);
      if (STEP_SUFFIX.test(window)) address.searchParams.set('step', window);
      const { status, text } = await ask(agent, address, token, signal);
      if (status !== 200) throw failure(status, text, url);
      const answer = parseJson(text);
      if (Value.Check(ApplicationsAnswer, answer)) return answer;
      throw new QueryFailure(
        `what answers at ${url.origin} is no query service of this version: check --query`,
        true,
      );
    },
    refusals: async (window, signal) => {
      const address = new URL('v1/refusals', url);
      address.searchParams.set('from', `now-${window}`);
      const { status, text } = await ask(agent, address, token, signal);
      // The table is worth showing without them: a service of an earlier version does not know the question.
      const answer = status === 200 ? parseJson(text) : undefined;
      return Value.Check(RefusalsAnswer, answer) ? answer.data : undefined;
    },
    close: async () => agent.close(),
  };
}

async function ask(
  agent: Agent,
  address: URL,
  token: string,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  try {
    const { statusCode, body } = await request(address, {
      dispatcher: agent,
      signal,
      headers: { authorization: `Bearer ${token}` },
    });
    return { status: statusCode, text: await body.text() };
  } catch (error) {
    const advice = isNeverSent(error)
      ? ': is it running? ./scripts/start runs a local one, --query names another'
      : '';
    throw new QueryFailure(
      `cannot reach the query service at ${address.origin} (${failureCode(error)})${advice}`,
      false,
      error,
    );
  }
}

function failure(status: number, text: string, url: URL): QueryFailure {
  const message = answerErrorMessage(status, text);
  if (status === 401 || status === 403) {
    return new QueryFailure(
      `the query service refuses the token: ${message}; give one with scope read in IMSCOPE_READ_TOKEN or --token-file`,
      true,
    );
  }
  const final = status >= 400 && status < 500 && status !== 429;
  return new QueryFailure(`the query service at ${url.origin} answers ${message}`, final);
}
