/*
 * The four outcomes of an interface request, in the order of the Avro enum.
 * Success rate = success / (success + service_error); the other two are shown beside it.
 */

export const OUTCOMES = ['success', 'caller_error', 'service_error', 'unknown'] as const;

export type Outcome = (typeof OUTCOMES)[number];
