/*
 * One route for each question, and the one order in which every question is answered: the plan refuses what is not
 * allowed; memory is reserved (`store/answer-budget.ts`); completeness is assessed; the store is asked within the
 * bounds of the answer; the envelope says what the figures cover.
 */
import type { Applications } from '@imscope/access/applications.js';
import type { Authentication } from '@imscope/access/authentication.js';
import { type Grant, requireScope } from '@imscope/access/grant.js';
import { describeFaultWithout } from '@imscope/runtime/parameter-error.js';
import type { DescribedApplication } from '@imscope/schemas/query-api/application-name.js';
import type { Answer } from '@imscope/schemas/query-api/envelope.js';
import { PERSONAL_FILTER_NAMES } from '@imscope/schemas/query-api/personal-filters.js';
import { answerSchema, type QuestionName } from '@imscope/schemas/query-api/questions.js';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import { type CompletenessOf, withoutNames } from '../completeness/completeness.js';
import { needsLogs } from '../figures/metric-span.js';
import type { LookUpInterface } from '../figures/interface-settings.js';
import type { Sources } from '../figures/source.js';
import { timeText } from '../figures/time-window.js';
import { addCallerHooks } from './caller-hooks.js';
import { createEpochTimes, wantsEpochMs } from './answer-times.js';
import { describeQuestion } from './describe-question.js';
import type { HistoryOf } from '../exceptions/history.js';
import type { MutesOf } from '../state/mutes.js';
import type { Networks } from '../network/networks.js';
import { ALL_QUESTIONS } from '../questions/all-questions.js';
import type { Answered, IncarnationsOf, PlannedQuestion, Question } from '../questions/question.js';
import type { FleetServices } from '../fleet/fleet-services.js';
import { KIB, requirePoints } from '../store/answer-bounds.js';
import type { AnswerBudget } from '../store/answer-budget.js';
import type { DescriptionsOf, NamesOf } from '../store/application-names.js';
import type { AskWithin } from '../store/ask-store.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The caller's grant; null for a request without authentication. */
    grant: Grant | null;
  }
}

export type QuestionRouteOptions = {
  readonly ask: AskWithin;
  readonly budget: Pick<AnswerBudget, 'setPoints' | 'bytesFor'>;
  readonly completeness: CompletenessOf;
  readonly sources: Sources;
  readonly namesOf: NamesOf;
  readonly incarnationsOf: IncarnationsOf;
  readonly interfaceOf: LookUpInterface;
  readonly historyOf: HistoryOf;
  readonly mutesOf: MutesOf;
  readonly networks: Networks;
  readonly descriptionsOf: DescriptionsOf;
  readonly fleet: FleetServices;
  readonly authentication: Authentication;
  readonly terminated: Applications['terminated'];
  readonly now: () => number;
};

/** All filters of a question with 20 values of the largest size each. */
const BODY_BYTES_MAX = 64 * KIB;

export const questionRoutes: FastifyPluginAsync<QuestionRouteOptions> = async (app, options) => {
  addCallerHooks(app, options);
  for (const [name, question] of Object.entries(ALL_QUESTIONS) as [QuestionName, Question][]) {
    addRoutes(app, { name, question }, options);
  }
};

/** An answer about an address has no minimum (docs/network.md), so it wants the scope of single requests. */
function hasPersonalFilter(query: unknown): boolean {
  return (
    typeof query === 'object' &&
    query !== null &&
    PERSONAL_FILTER_NAMES.some((name) => Object.hasOwn(query, name))
  );
}

function addRoutes(
  app: FastifyInstance,
  { name, question }: { readonly name: QuestionName; readonly question: Question },
  options: QuestionRouteOptions,
): void {
  const { contract, bounds } = question;
  const plans = new WeakMap<FastifyRequest, PlannedQuestion>();
  const toEpochMs = createEpochTimes(answerSchema(contract));
  for (const method of ['GET', 'POST'] as const) {
    app.route({
      method,
      url: contract.path,
      schema: describeQuestion(name, contract, method),
      schemaErrorFormatter: (failures) => describeFaultWithout(PERSONAL_FILTER_NAMES, failures),
      bodyLimit: BODY_BYTES_MAX,
      config: { bounds },
      preHandler: async (request) => {
        const { grant, params } = request;
        const query = method === 'GET' ? request.query : request.body;
        if (grant === null) throw new Error('a request came through without authentication');
        requireScope(grant, hasPersonalFilter(query) ? 'requests' : (contract.tokenScope ?? 'read'));
        const plan = question.plan({
          grant,
          terminated: options.terminated(),
          params,
          query,
          nowMs: options.now(),
          networks: options.networks,
        });
        requirePoints(bounds, plan.points);
        options.budget.setPoints(request, plan.points);
        plans.set(request, plan);
      },
      handler: async (request) => {
        const plan = plans.get(request);
        if (plan === undefined) throw new Error('a question is answered that was not planned');
        const answer = await answerQuestion(request, question, plan, options);
        return wantsEpochMs(method === 'GET' ? request.query : request.body) ? toEpochMs(answer) : answer;
      },
    });
  }
}

/** Completeness is assessed before the data are read, so that it never claims more than they hold. */
async function answerQuestion(
  request: FastifyRequest,
  { bounds: { rowsMax } }: Question,
  plan: PlannedQuestion,
  options: QuestionRouteOptions,
): Promise<Answer<unknown>> {
  const beganMs = performance.now();
  const ask = options.ask.within({ rowsMax, bytesMax: options.budget.bytesFor(request) });
  const readsAll = request.grant?.applications === 'all';
  const completeness = options
    .completeness(plan.window, options.now(), plan.sdkAppId)
    .then((found) => (readsAll ? found : withoutNames(found)));
  const { sources, namesOf, descriptionsOf, fleet, historyOf, mutesOf, incarnationsOf, interfaceOf } =
    options;
  const { signal } = request;
  const known = { sources, namesOf, descriptionsOf, fleet, historyOf, mutesOf, incarnationsOf, interfaceOf };
  const [answered, application] = await Promise.all([
    plan.answer({ ...known, ask, completeness, signal }),
    plan.sdkAppId === undefined ? undefined : namedApplication(plan.sdkAppId, descriptionsOf, signal),
  ]);
  const { data, leftOut, assess } = answered;
  return {
    data,
    ...(leftOut === undefined ? {} : { left_out: leftOut }),
    ...(application === undefined ? {} : { application }),
    window: windowOf(plan, answered),
    completeness: assess(await completeness),
    cost: { ...ask.cost(), ms: Math.round((performance.now() - beganMs) * 10) / 10 },
  };
}

async function namedApplication(
  sdkAppId: number,
  descriptionsOf: DescriptionsOf,
  signal: AbortSignal,
): Promise<DescribedApplication> {
  const describe = await descriptionsOf([sdkAppId], signal);
  return { sdk_app_id: sdkAppId, ...describe(sdkAppId) };
}

function windowOf(
  { window, stepMs }: PlannedQuestion,
  { metrics, loggedShare, fromAccounts }: Answered,
): Answer<unknown>['window'] {
  const span = { from: timeText(window.fromMs), to: timeText(window.toMs) };
  const part = metrics && { from: timeText(metrics.fromMs), to: timeText(metrics.toMs) };
  const isAllMetrics = metrics !== null && !needsLogs(metrics, window);
  return {
    ...span,
    step: stepMs === null ? null : stepMs / 1000,
    source: fromAccounts ? 'accounts' : part === null ? 'logs' : isAllMetrics ? 'metrics' : 'both',
    metrics: part,
    logged_share: loggedShare,
  };
}
