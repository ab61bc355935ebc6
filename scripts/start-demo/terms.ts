/*
 * The terms of the demonstration as settings of its services. Every service refuses terms whose sum is too large, here as
 * in production.
 */
import { DEMO_TERMS } from '@imscope/schemas/retention.js';

/** What topics and tables are prepared for, and what the collector of the history has. */
export const HISTORY_TERMS_ENV: Readonly<Record<string, string>> = {
  LATE_HOURS_MAX: String(DEMO_TERMS.lateHoursMax),
  EDGE_WAIT_HOURS: String(DEMO_TERMS.edgeWaitHours),
  REQUEST_LOG_TOPIC_HOURS: String(DEMO_TERMS.requestLogTopicHours),
  DEAD_LETTER_HOURS: String(DEMO_TERMS.deadLetterHours),
};

/** The live collector has the default lateness and the default wait at the edge. */
export const LIVE_TERMS_ENV: Readonly<Record<string, string>> = {
  REQUEST_LOG_TOPIC_HOURS: String(DEMO_TERMS.requestLogTopicHours),
  DEAD_LETTER_HOURS: String(DEMO_TERMS.deadLetterHours),
};
