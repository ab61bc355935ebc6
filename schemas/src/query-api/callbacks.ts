/*
 * `callbacks`: how well does an application's own server answer the callbacks of gateways? Counted from the metrics alone.
 */
import { type Static, Type } from 'typebox';
import { TERM_HOURS, termText } from '../retention.js';
import { WindowQuery } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { LeftOut, PERFORMANCE } from './values.js';

export const CallbackRow = Type.Object({
  /** Such as `C2C.CallbackBeforeSendMsg`. */
  event: Type.String(),
  ...PERFORMANCE,
});
export type CallbackRow = Static<typeof CallbackRow>;

/** All callbacks together; 0 requests where no gateway reported one. */
export const Callbacks = Type.Object({
  ...PERFORMANCE,
  /** Most frequent first, 200 at most. */
  events: Type.Array(CallbackRow),
  events_left_out: LeftOut,
});
export type Callbacks = Static<typeof Callbacks>;

export const callbacks = {
  path: '/v1/applications/:sdk_app_id/callbacks',
  scope: 'application',
  operationId: 'getCallbacks',
  summary:
    'Success rate and delay of the callbacks that gateways made to the application’s own server, together and by event, ' +
    `where gateways report them as interfaces callback/<event>. From the metrics alone: whole minutes of the last ${termText(TERM_HOURS.interfaceMetric)}`,
  query: WindowQuery,
  data: Callbacks,
  isBoundedList: false,
} as const satisfies QuestionContract;
