/*
 * The terms of the demonstration: 145 h lateness + 1 h at the edge + 20 h topic + 1 h segment = 167 of the 168 hours
 * that request logs are kept, and 168 with the hour a dead letter is kept. So six days of history fit
 * into the retention, and every service refuses terms whose sum is too large, here as in production.
 */
import type { TermSettings } from '@imscope/schemas/retention.js';

export const DEMO_TERMS: TermSettings = {
  lateHoursMax: 145,
  edgeWaitHours: 1,
  requestLogTopicHours: 20,
  deadLetterHours: 1,
};

/** What topics and tables are prepared for, and what the collector of the history has. */
export const HISTORY_TERMS_ENV: Readonly<Record<string, string>> = {
  LATE_HOURS_MAX: String(DEMO_TERMS.lateHoursMax),
  EDGE_WAIT_HOURS: String(DEMO_TERMS.edgeWaitHours),
  REQUEST_LOG_TOPIC_HOURS: String(DEMO_TERMS.requestLogTopicHours),
  DEAD_LETTER_HOURS: String(DEMO_TERMS.deadLetterHours),
};

/** The live collector accepts what any collector does: 24 h lateness, and 24 h at the edge. */
export const LIVE_TERMS_ENV: Readonly<Record<string, string>> = {
  REQUEST_LOG_TOPIC_HOURS: String(DEMO_TERMS.requestLogTopicHours),
  DEAD_LETTER_HOURS: String(DEMO_TERMS.deadLetterHours),
};
