/*
 * `exceptionGroup`, `fleetExceptionGroup`: one group of failures: since when, how often, where, and what to look at.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { ExceptionDetail, ExceptionPlace } from '@imscope/schemas/query-api/exceptions.js';
import { TERM_HOURS, termText } from '@imscope/schemas/retention.js';
import { describeGroup, valuesOf } from '../exceptions/describe-group.js';
import { FAILURES_BOUNDS, type Failures, noFailures, readFailures } from '../exceptions/failure-groups.js';
import { type Place, PLACES } from '../exceptions/failure-sql.js';
import type { History, HistoryOf, Seen } from '../exceptions/history.js';
import { type PlanHistory, planHistory } from '../exceptions/plan-history.js';
import { readSamples } from '../exceptions/samples.js';
import type { Filter } from '../figures/filter.js';
import { namesProviders } from '../figures/shown-groups.js';
import type { Subject } from '../figures/subject.js';
import type { AnswerBounds } from '../store/answer-bounds.js';
import { type RequestDefinition, requestQuestion } from './question.js';

const TOP_MAX = 20;
const TERM = termText(TERM_HOURS.requestLog);
const ALL_PLACES = Object.keys(PLACES) as readonly Place[];

/** One group may have more steps than a list of groups. */
const BOUNDS: AnswerBounds = { ...FAILURES_BOUNDS, pointsMax: 1_500 };

type DetailQuestion = 'exceptionGroup' | 'fleetExceptionGroup';
type Definition = RequestDefinition<DetailQuestion, PlanHistory>;

const answerDetail: Definition['answer'] = async (input) => {
  const { ask, plan, window, subject, query, nowMs, historyOf, mutesOf, signal } = input;
  const { stepMs, newSinceMs, silenceHours } = plan;
  const { history, seen } = await findGroup(query.group, subject, nowMs, historyOf);
  const filter = filterOfGroup(plan.filter, seen);
  const [{ groups, requests }, { mutes }] = await Promise.all([
    readFailures(ask, filter, { stepMs, places: ALL_PLACES, signal }),
    mutesOf(subject, nowMs),
  ]);
  const failures = groups.find(({ id }) => id === query.group) ?? noFailures(query.group, seen);
  const data: ExceptionDetail = {
    ...describeGroup(failures, {
      window,
      stepMs,
      newSinceMs,
      silenceHours,
      history,
      mutes,
      requests,
      samplesOf: await readSamples(ask, filter, [failures], signal),
      applications: ({ places: { application } }) => application?.size ?? 0,
    }),
    where: ALL_PLACES.map((place) => placeOf(failures, place, isListed(place, filter) ? TOP_MAX : 0)),
  };
  return { data };
};

/** Throws `HttpError` not_found where the group was not seen in the term. */
async function findGroup(
  id: string,
  subject: Subject,
  nowMs: number,
  historyOf: HistoryOf,
): Promise<{ history: History; seen: Seen }> {
  for (const refresh of [undefined, 'refresh'] as const) {
    const history = await historyOf(subject, nowMs, refresh);
    const seen = history.groups.get(id);
    if (seen !== undefined) return { history, seen };
  }
  throw new HttpError(
    'not_found',
    `no failure of group ${id} is stored: groups are listed at …/exceptions, and logs are kept ${TERM}`,
  );
}

/** Other causes of the same exception and code are read too, and left out afterwards. */
function filterOfGroup(filter: Filter, { exception, code }: Seen): Filter {
  const condition = code === null ? 'code IS NULL' : 'code = {group_code:Int32}';
  return {
    ...filter,
    sql: `${filter.sql}\n  AND exception = {group_exception:String} AND ${condition}`,
    params: { ...filter.params, group_exception: exception, ...(code === null ? {} : { group_code: code }) },
  };
}

/** An application with few requests of a provider is not listed: docs/network.md. */
function isListed(place: Place, filter: Filter): boolean {
  return place !== 'application' || !namesProviders([], filter);
}

function placeOf({ places }: Failures, place: Place, topMax: number): ExceptionPlace {
  const values = valuesOf(places[place]);
  return {
    by: place,
    top: values.slice(0, topMax),
    total: values.length,
    count_left_out: values.slice(topMax).reduce((sum, { count }) => sum + count, 0),
  };
}

const DEFINITION: Definition = { bounds: BOUNDS, source: 'logs', plan: planHistory, answer: answerDetail };

export const exceptionGroup = requestQuestion<'exceptionGroup', PlanHistory>('exceptionGroup', DEFINITION);
export const fleetExceptionGroup = requestQuestion<'fleetExceptionGroup', PlanHistory>(
  'fleetExceptionGroup',
  DEFINITION,
);
