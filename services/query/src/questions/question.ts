/*
 * One question of the API, in the order it is answered: the plan says which window, how many points and what to ask,
 * and refuses what is not allowed; memory is reserved (`answer-budget.ts`); the store is asked within the bounds of the
 * route; the envelope tells what the figures cover.
 */
import type { Answer, Completeness } from '@imscope/schemas/query-api/envelope.js';
import type { FastifyRequest } from 'fastify';
import { type AnswerBounds, requirePoints } from '../store/answer-bounds.js';
import type { AnswerBudget } from '../store/answer-budget.js';
import type { Ask, AskWithin } from '../store/ask-store.js';
import type { CompletenessOf } from '../completeness/completeness.js';
import type { Source } from '../figures/source.js';
import { timeText, type TimeWindow } from '../figures/time-window.js';

/** Data with what they cover: the window, the step (null where there is none) and where the figures come from. */
export type Found<T> = Source & {
  readonly data: T;
  readonly window: TimeWindow;
  readonly stepMs: number | null;
  /** Of a list with a bound: how many rows it left out. */
  readonly leftOut?: number;
  /** Counted from the accounts of collectors, not from requests. */
  readonly fromAccounts?: true;
};

export type Plan<T> = {
  readonly window: TimeWindow;
  /** Of whom; undefined: all that the caller may see. */
  readonly sdkAppId?: number;
  /** Steps of time, or requests of a page. */
  readonly points: number;
  readonly find: (ask: Ask, signal: AbortSignal) => Promise<Found<T>>;
  /** What the data say about their own completeness. */
  readonly assess?: (completeness: Completeness, data: T) => Completeness;
};

export type QuestionOptions = {
  readonly ask: AskWithin;
  readonly budget: Pick<AnswerBudget, 'setPoints' | 'bytesFor'>;
  readonly completeness: CompletenessOf;
  readonly now: () => number;
};

/**
 * The options and the handler of a question's route: the one way to get an `Ask`.
 * @param plan throws `HttpError` for what is not allowed; asks nothing
 */
export function createQuestion<Request extends object, T>(
  bounds: AnswerBounds,
  options: QuestionOptions,
  plan: (request: Request) => Plan<T>,
) {
  const plans = new WeakMap<object, Plan<T>>();
  return {
    route: {
      config: { bounds },
      preHandler: async (request: Request & FastifyRequest): Promise<void> => {
        const planned = plan(request);
        requirePoints(bounds, planned.points);
        options.budget.setPoints(request, planned.points);
        plans.set(request, planned);
      },
    },
    handler: (request: Request & FastifyRequest): Promise<Answer<T>> => {
      const planned = plans.get(request);
      if (planned === undefined) throw new Error('a question is answered that was not planned');
      const { rowsMax } = bounds;
      const ask = options.ask.within({ rowsMax, bytesMax: options.budget.bytesFor(request) });
      return answer(planned, ask, request.signal, options);
    },
  };
}

/** The envelope. Completeness is looked up before the data, so that it never tells of more than they hold. */
async function answer<T>(
  plan: Plan<T>,
  ask: Ask,
  signal: AbortSignal,
  options: QuestionOptions,
): Promise<Answer<T>> {
  const completeness = await options.completeness(plan.window, options.now(), plan.sdkAppId);
  const { data, leftOut, window, stepMs, metrics, loggedShare, fromAccounts } = await plan.find(ask, signal);
  const span = { from: timeText(window.fromMs), to: timeText(window.toMs) };
  const part = metrics && { from: timeText(metrics.fromMs), to: timeText(metrics.toMs) };
  const complete = part !== null && part.from === span.from && part.to === span.to;
  return {
    data,
    ...(leftOut === undefined ? {} : { left_out: leftOut }),
    window: {
      ...span,
      step: stepMs === null ? null : stepMs / 1000,
      source: fromAccounts ? 'accounts' : part === null ? 'logs' : complete ? 'metrics' : 'both',
      metrics: part,
      logged_share: loggedShare,
    },
    completeness: plan.assess?.(completeness, data) ?? completeness,
  };
}
