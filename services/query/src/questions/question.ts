/*
 * Defines a question: its contract, the bounds of its answer, its plan and its answer. Each question has a file in this
 * folder; `http/question-routes.ts` runs them all in the same order.
 */
import type { IncarnationTrack } from '@imscope/accounting/running/incarnation-track.js';
import type { Grant } from '@imscope/access/grant.js';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Completeness } from '@imscope/schemas/query-api/envelope.js';
import { ApplicationPath } from '@imscope/schemas/query-api/parameters.js';
import type { QuestionContract } from '@imscope/schemas/query-api/question-contract.js';
import {
  type DataOf,
  parametersSchema,
  type QueryOf,
  type QuestionName,
  QUESTIONS,
} from '@imscope/schemas/query-api/questions.js';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { type RatedRequests, withVerdict } from '../completeness/verdict.js';
import type { LookUpInterface } from '../figures/interface-settings.js';
import { createSpans, type Plan, type PlanInput, type RequestPlan, type Span } from '../figures/plan.js';
import { requireShownProviders } from '../figures/provider-filter.js';
import { namesProviders } from '../figures/shown-groups.js';
import type { Source, Sources } from '../figures/source.js';
import { type ReadScope, readScope, requireReadable, type Subject } from '../figures/subject.js';
import type { TimeWindow } from '../figures/time-window.js';
import type { HistoryOf } from '../exceptions/history.js';
import type { MutesOf } from '../state/mutes.js';
import type { Networks } from '../network/networks.js';
import type { AnswerBounds } from '../store/answer-bounds.js';
import type { DescriptionsOf, NamesOf } from '../store/application-names.js';
import type { Ask } from '../store/ask-store.js';
import type { FleetServices } from '../fleet/fleet-services.js';

/**
 * Where the figures come from. `logs_or_metrics`: for each part of the window the cheaper source that is complete
 * (`figures/source.ts`). `accounts`: the accounts of collectors.
 */
export type SourceKind = 'logs' | 'metrics' | 'logs_or_metrics' | 'accounts';

export type Found<T> = {
  readonly data: T;
  /** Of a bounded list: how many rows it left out. */
  readonly leftOut?: number;
  /** Only of questions that find it themselves. */
  readonly loggedShare?: number | null;
  /** Only of questions that choose it themselves. */
  readonly source?: Source;
  /** Of remembered figures: how complete they were when they were read. */
  readonly completeness?: Completeness;
};

type Definition<Q extends QuestionName> = {
  readonly bounds: AnswerBounds;
  readonly source: SourceKind;
  /** What the data say about their own completeness. */
  readonly assess?: (completeness: Completeness, data: DataOf<Q>) => Completeness;
  /** All requests of the answer together: for bounds of their success rate and the verdict. */
  readonly rated?: (data: DataOf<Q>) => RatedRequests;
};

/** Incarnations of collectors as of a time; undefined where they cannot be read. */
export type IncarnationsOf = (nowMs: number) => Promise<readonly IncarnationTrack[] | undefined>;

type AnswerInput<Q extends QuestionName, P extends Plan> = {
  readonly query: QueryOf<Q>;
  readonly plan: P;
  /** Of the plan. */
  readonly window: TimeWindow;
  readonly nowMs: number;
  /** Asks the store within the bounds of this answer. */
  readonly ask: Ask;
  readonly signal: AbortSignal;
};

export type RequestDefinition<Q extends QuestionName, P extends RequestPlan> = Definition<Q> & {
  /** Throws `HttpError` for what is not allowed; does not ask the store. */
  readonly plan: (input: PlanInput<QueryOf<Q>> & { readonly networks: Networks }) => P;
  readonly answer: (
    input: AnswerInput<Q, P> & {
      readonly subject: Subject;
      /** The applications the caller may read. */
      readonly scope: ReadScope;
      readonly spanOf: (window: TimeWindow) => Promise<Span>;
      readonly sources: Sources;
      readonly namesOf: NamesOf;
      readonly interfaceOf: LookUpInterface;
      readonly historyOf: HistoryOf;
      readonly mutesOf: MutesOf;
      readonly descriptionsOf: DescriptionsOf;
      readonly fleet: FleetServices;
      readonly completeness: Completeness;
    },
  ) => Promise<Found<DataOf<Q>>>;
};

export type FleetDefinition<Q extends QuestionName, P extends Plan> = Definition<Q> & {
  /** Only callers who may read all applications get an answer. */
  readonly readsAll?: true;
  /** Throws `HttpError` for what is not allowed; does not ask the store. */
  readonly plan: (input: Omit<PlanInput<QueryOf<Q>>, 'subject'>) => P;
  readonly answer: (
    input: AnswerInput<Q, P> & {
      /** The applications the caller may read. */
      readonly scope: ReadScope;
      readonly namesOf: NamesOf;
      readonly incarnationsOf: IncarnationsOf;
    },
  ) => Promise<Found<DataOf<Q>>>;
};

/** Read and checked by the schemas of the route; `query` holds the parameters of the query or of the body. */
export type QuestionRequest = {
  readonly grant: Grant;
  readonly terminated: ReadonlySet<number>;
  readonly params: unknown;
  readonly query: unknown;
  readonly nowMs: number;
  readonly networks: Networks;
};

export type QuestionServices = {
  readonly ask: Ask;
  readonly sources: Sources;
  readonly namesOf: NamesOf;
  readonly incarnationsOf: IncarnationsOf;
  readonly interfaceOf: LookUpInterface;
  readonly historyOf: HistoryOf;
  readonly mutesOf: MutesOf;
  readonly descriptionsOf: DescriptionsOf;
  readonly fleet: FleetServices;
  /** Assessed before figures are read. Does not reject. */
  readonly completeness: Promise<Completeness>;
  readonly signal: AbortSignal;
};

/** Data with what it covers. */
export type Answered = Source & {
  readonly data: unknown;
  readonly leftOut?: number;
  readonly fromAccounts: boolean;
  readonly assess: (completeness: Completeness) => Completeness;
};

export type PlannedQuestion = Plan & {
  /** undefined: all that the caller may read. */
  readonly sdkAppId: number | undefined;
  readonly answer: (services: QuestionServices) => Promise<Answered>;
};

export type Question = {
  readonly contract: QuestionContract;
  readonly bounds: AnswerBounds;
  /** Throws `HttpError` for what is not allowed; does not ask the store. */
  readonly plan: (request: QuestionRequest) => PlannedQuestion;
};

type QuestionsOf<Scope extends QuestionContract['scope']> = {
  [Q in QuestionName]: (typeof QUESTIONS)[Q]['scope'] extends Scope ? Q : never;
}[QuestionName];

/** A question about requests: of one application, or of the fleet, as its contract says. */
export function requestQuestion<Q extends QuestionName, P extends RequestPlan>(
  name: Q,
  definition: RequestDefinition<Q, P>,
): Question {
  const { bounds, source } = definition;
  const contract: QuestionContract = QUESTIONS[name];
  // Single requests have no minimum, and want another scope of a token.
  const isLimited = contract.tokenScope !== 'requests';
  return {
    contract,
    bounds,
    plan: (request) => {
      const { nowMs, networks } = request;
      const subject = subjectOf(contract, request);
      const query = queryOf(name, request);
      const plan = definition.plan({ subject, query, nowMs, pointsMax: bounds.pointsMax, networks });
      const { window, stepMs, points } = plan;
      return {
        window,
        stepMs,
        points,
        sdkAppId: subject.kind === 'application' ? subject.sdkAppId : undefined,
        answer: async ({ ask, signal, completeness: assessed, ...services }) => {
          const { sources } = services;
          if (isLimited && namesProviders([], plan.filter)) {
            await requireShownProviders(ask, plan.filter, networks.minimum, signal);
          }
          const spanOf = createSpans(sources, subject, plan, nowMs);
          const scope = readScope(request.grant, request.terminated);
          const asked = { query, plan, window, nowMs, ask, scope, signal };
          const windows = [window, ...(plan.compared === undefined ? [] : [plan.compared])];
          // Which source has the figures is found out while completeness is assessed.
          const [completeness] = await Promise.all([
            assessed,
            ...(source === 'logs_or_metrics' ? windows.map(spanOf) : []),
          ]);
          const found = await definition.answer({ ...asked, ...services, completeness, subject, spanOf });
          const chosen = found.source ?? (source === 'logs_or_metrics' ? await spanOf(window) : undefined);
          return answered(definition, found, { query, window, chosen });
        },
      };
    },
  };
}

/** A question about the fleet that is not about a set of requests with filters. */
export function fleetQuestion<Q extends QuestionsOf<'fleet'>, P extends Plan>(
  name: Q,
  definition: FleetDefinition<Q, P>,
): Question {
  const { bounds, readsAll } = definition;
  return {
    contract: QUESTIONS[name],
    bounds,
    plan: (request) => {
      const { grant, terminated, nowMs } = request;
      if (readsAll === true) requireAll(grant);
      const query = queryOf(name, request);
      const plan = definition.plan({ query, nowMs, pointsMax: bounds.pointsMax });
      const { window, stepMs, points } = plan;
      return {
        window,
        stepMs,
        points,
        sdkAppId: undefined,
        answer: async ({ ask, namesOf, incarnationsOf, completeness, signal }) => {
          await completeness;
          const scope = readScope(grant, terminated);
          const asked = { query, plan, window, nowMs, ask, signal };
          const found = await definition.answer({ ...asked, scope, namesOf, incarnationsOf });
          return answered(definition, found, { query, window, chosen: undefined });
        },
      };
    },
  };
}

/** Throws `HttpError` not_allowed. */
function subjectOf({ scope }: QuestionContract, { grant, terminated, params }: QuestionRequest): Subject {
  if (scope === 'fleet') return { kind: 'fleet', scope: readScope(grant, terminated) };
  const sdkAppId = applicationOf(params);
  requireReadable(grant, sdkAppId, terminated);
  return { kind: 'application', sdkAppId };
}

/** Throws `HttpError` not_allowed. */
function requireAll({ name, applications }: Grant): void {
  if (applications === 'all') return;
  throw new HttpError(
    'not_allowed',
    `"${name}" may read ${applications.size} applications, and this answer is about all: ask for a token that may read all applications`,
  );
}

/** Requests that are chosen by how they ended have no success rate that tells of the service. */
const OUTCOME_FILTERS = ['outcome', 'code', 'exception'];

function answered<Q extends QuestionName>(
  { source, assess, rated }: Definition<Q>,
  { data, leftOut, loggedShare = null, completeness: known }: Found<DataOf<Q>>,
  {
    query,
    window,
    chosen,
  }: { readonly query: object; readonly window: TimeWindow; readonly chosen: Source | undefined },
): Answered {
  const share = chosen === undefined ? loggedShare : chosen.loggedShare;
  return {
    data,
    ...(leftOut === undefined ? {} : { leftOut }),
    metrics: source === 'metrics' ? window : (chosen?.metrics ?? null),
    loggedShare: share,
    fromAccounts: source === 'accounts',
    assess: (found) => {
      const completeness = known ?? found;
      const assessed = assess?.(completeness, data) ?? completeness;
      const hasRate = rated !== undefined && !OUTCOME_FILTERS.some((name) => Object.hasOwn(query, name));
      return hasRate ? withVerdict(assessed, rated(data), share) : assessed;
    },
  };
}

function applicationOf(params: unknown): number {
  if (Value.Check(ApplicationPath, params)) return params.sdk_app_id;
  throw new Error('the path of a question was not checked');
}

/** What the path names beside the application is a parameter like those of the query. */
function queryOf<Q extends QuestionName>(
  name: Q,
  { params, query }: Pick<QuestionRequest, 'params' | 'query'>,
): QueryOf<Q> {
  const { inPath }: QuestionContract = QUESTIONS[name];
  const named = Object.entries(parametersOf(params)).filter(([key]) => inPath?.properties[key] !== undefined);
  const found = { ...parametersOf(query), ...Object.fromEntries(named) };
  if (isQueryOf(name, found)) return found;
  throw new Error(`the query of "${name}" was not checked`);
}

const Parameters = Type.Record(Type.String(), Type.Unknown());

/** Routes without parameters in their path have none. */
function parametersOf(given: unknown): Static<typeof Parameters> {
  return Value.Check(Parameters, given) ? given : {};
}

function isQueryOf<Q extends QuestionName>(name: Q, query: unknown): query is QueryOf<Q> {
  return Value.Check(parametersSchema(QUESTIONS[name]), query);
}
