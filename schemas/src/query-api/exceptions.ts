/*
 * `exceptions`: why do requests fail? Failures in groups of one exception, code and normalised cause, with a sample to look
 * at; of one application and of the fleet. And one group by its id.
 */
import { type Static, Type } from 'typebox';
import { DETAIL_FILTER_PARAMETERS, FILTER_PARAMETERS } from './filter-parameters.js';
import { STEP_PARAMETER, TIME_PATTERN, WINDOW_PARAMETERS } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { OutcomeName } from '../shown-record.js';
import { Count, OutcomeCounts, Time } from './values.js';

export const GROUP_ID_PATTERN = '^[0-9a-f]{16}$';
/** How a group's list of causes begins: the most frequent ones, which differ. */
export const SAMPLES_MAX = 3;

export const Mute = Type.Object({
  /** `fleet`: in force for all applications. */
  scope: Type.Union([Type.Literal('application'), Type.Literal('fleet')]),
  by: Type.String(),
  reason: Type.String(),
  since: Time,
  until: Time,
});
export type Mute = Static<typeof Mute>;

export const ExceptionSample = Type.Object({
  cause: Type.String({ description: 'as stored; personal parts were replaced by the collector' }),
  /** Requests with this cause. */
  count: Count,
  sdk_app_id: Type.Integer(),
  /** The newest request with this cause. */
  time: Time,
  request_id: Type.String({ description: 'empty: the source names no request' }),
});
export type ExceptionSample = Static<typeof ExceptionSample>;

/** A value of a field with its requests in the window. */
const TopValue = Type.Object({ value: Type.String(), count: Count });
export type TopValue = Static<typeof TopValue>;

export const ExceptionGroup = Type.Object({
  id: Type.String({
    pattern: GROUP_ID_PATTERN,
    description: 'hash of exception, code and normalised cause: the same for every application, at any time',
  }),
  exception: Type.String({ description: 'empty: none was sent' }),
  code: Type.Union([Type.Integer(), Type.Null()]),
  cause: Type.String({ description: 'normalised: what varies is <*>; empty: none was sent' }),
  /** Of the code. */
  name: Type.String(),
  advice: Type.String(),
  /** The most frequent in the window. */
  outcome: OutcomeName,
  outcomes: OutcomeCounts,
  /** Requests in the window, by weight. */
  count: Count,
  share: Type.Number({ description: 'of all failures that the question counts' }),
  first_seen: Time,
  last_seen: Time,
  is_new: Type.Boolean({ description: 'first seen at new_since or later' }),
  is_regressed: Type.Boolean({ description: 'seen again in the window after the silence' }),
  silent_hours: Type.Union([Type.Integer(), Type.Null()], {
    description: 'whole hours without it before it was seen again; null: it is not regressed',
  }),
  muted: Type.Union([Mute, Type.Null()]),
  trend: Type.Array(Count, {
    description: 'requests in each step of window.step seconds; steps begin at multiples of it',
  }),
  interfaces: Type.Array(TopValue, { description: 'the most frequent, 5 at most' }),
  interfaces_total: Count,
  nodes: Count,
  regions: Count,
  applications: Count,
  samples: Type.Array(ExceptionSample, {
    maxItems: SAMPLES_MAX,
    description: 'the most frequent causes, which differ; none with the filter isp',
  }),
});
export type ExceptionGroup = Static<typeof ExceptionGroup>;

export const Exceptions = Type.Object({
  /** Service errors first, then the most frequent; 200 at most. */
  groups: Type.Array(ExceptionGroup),
  /** Beyond the 200, and those the parameter `muted` hides. */
  groups_left_out: Count,
  count_left_out: Count,
  failures: Type.Object(
    { groups: Count, count: Count },
    { description: 'all that the question counts, listed or not' },
  ),
  ungrouped: Type.Object(
    { shapes: Count, count: Count },
    {
      description:
        'causes of more shapes than one answer can group; the least frequent. Where there are any, counts of groups are lower bounds',
    },
  ),
  /** False: the database of mutes cannot be read, or there is none. */
  mutes_known: Type.Boolean(),
  new_since: Time,
  history: Type.Object(
    { from: Time, is_complete: Type.Boolean() },
    {
      description:
        'what first_seen and last_seen cover; not complete: of groups beyond 5,000 shapes, only the window',
    },
  ),
});
export type Exceptions = Static<typeof Exceptions>;

const HISTORY_PARAMETERS = {
  new_since: Type.Optional(
    Type.String({
      pattern: TIME_PATTERN,
      description: 'as from: groups first seen then or later are new; default from',
    }),
  ),
  silence: Type.Optional(
    Type.String({
      pattern: '^[1-9][0-9]{0,2}h$',
      description: 'a group that was not seen for so long and then in the window is regressed; default 24h',
    }),
  ),
};

const ExceptionsQuery = Type.Object(
  {
    ...WINDOW_PARAMETERS,
    ...FILTER_PARAMETERS,
    ...DETAIL_FILTER_PARAMETERS,
    step: STEP_PARAMETER,
    ...HISTORY_PARAMETERS,
    muted: Type.Optional(
      Type.Union([Type.Literal('show'), Type.Literal('hide'), Type.Literal('only')], {
        description: 'muted groups: show (default), hide, or only these',
      }),
    ),
  },
  { additionalProperties: false },
);
export type ExceptionsQuery = Static<typeof ExceptionsQuery>;

const SUMMARY =
  'in groups of one exception, code and normalised cause: every service error, and all else that carries an ' +
  'exception. Service errors first, then the most frequent';

export const exceptions = {
  path: '/v1/applications/:sdk_app_id/exceptions',
  scope: 'application',
  operationId: 'listExceptions',
  summary: `Failures of an application ${SUMMARY}`,
  query: ExceptionsQuery,
  data: Exceptions,
  isBoundedList: false,
  hasPersonalFilters: true,
} as const satisfies QuestionContract;

export const fleetExceptions = {
  path: '/v1/fleet/exceptions',
  scope: 'fleet',
  operationId: 'listFleetExceptions',
  summary: `Failures of all applications the caller may read ${SUMMARY}`,
  query: ExceptionsQuery,
  data: Exceptions,
  isBoundedList: false,
  hasPersonalFilters: true,
} as const satisfies QuestionContract;

export const ExceptionPlace = Type.Object({
  by: Type.String({ description: 'a field of requests, or application' }),
  top: Type.Array(TopValue, {
    description: 'the most frequent, 20 at most; no application with the filter isp',
  }),
  total: Count,
  count_left_out: Count,
});
export type ExceptionPlace = Static<typeof ExceptionPlace>;

export const ExceptionDetail = Type.Object({
  ...ExceptionGroup.properties,
  /** By interface, node, region, platform, version and application. */
  where: Type.Array(ExceptionPlace),
});
export type ExceptionDetail = Static<typeof ExceptionDetail>;

const ExceptionGroupQuery = Type.Object(
  { ...WINDOW_PARAMETERS, ...FILTER_PARAMETERS, step: STEP_PARAMETER, ...HISTORY_PARAMETERS },
  { additionalProperties: false },
);
const GroupPath = Type.Object({
  group: Type.String({ pattern: GROUP_ID_PATTERN, description: 'the id of a group of exceptions' }),
});

const DETAIL_SUMMARY =
  'its trend, samples, and the interfaces, nodes, regions, platforms, versions and applications it is found at';

export const exceptionGroup = {
  path: '/v1/applications/:sdk_app_id/exceptions/:group',
  scope: 'application',
  operationId: 'getExceptionGroup',
  summary: `One group of failures of an application: ${DETAIL_SUMMARY}`,
  inPath: GroupPath,
  mayNotBeFound: true,
  query: ExceptionGroupQuery,
  data: ExceptionDetail,
  isBoundedList: false,
  hasPersonalFilters: true,
} as const satisfies QuestionContract;

export const fleetExceptionGroup = {
  path: '/v1/fleet/exceptions/:group',
  scope: 'fleet',
  operationId: 'getFleetExceptionGroup',
  summary: `One group of failures of all applications the caller may read: ${DETAIL_SUMMARY}`,
  inPath: GroupPath,
  mayNotBeFound: true,
  query: ExceptionGroupQuery,
  data: ExceptionDetail,
  isBoundedList: false,
  hasPersonalFilters: true,
} as const satisfies QuestionContract;
