/*
 * The settings of retention, in one table for every service that depends on them, so that collectors and aggregators
 * use the same values and refuse the same sums.
 */
import { DEFAULT_TERMS, settingFaults, TERM_BOUNDS, type TermSettings } from '@imscope/schemas/retention.js';
import { flag, integer, type Settings } from './config.js';

export const TERM_SETTINGS = {
  lateHoursMax: integer({
    default: DEFAULT_TERMS.lateHoursMax,
    ...TERM_BOUNDS.lateHoursMax,
    purpose: 'hours an event may be old when a collector accepts it; adds up with the settings below',
  }),
  edgeWaitHours: integer({
    default: DEFAULT_TERMS.edgeWaitHours,
    ...TERM_BOUNDS.edgeWaitHours,
    purpose:
      'hours a batch of request logs may wait in a spool for Kafka; then it expires and is counted as lost',
  }),
  requestLogTopicHours: integer({
    default: DEFAULT_TERMS.requestLogTopicHours,
    ...TERM_BOUNDS.requestLogTopicHours,
    purpose: 'hours Kafka keeps request logs: how long the store may be away',
  }),
  deadLetterHours: integer({
    default: DEFAULT_TERMS.deadLetterHours,
    ...TERM_BOUNDS.deadLetterHours,
    purpose: 'hours Kafka keeps dead letters, their segment included (1 hour, half an hour where this is 1)',
  }),
  topicSettingsReadable: flag({
    default: true,
    purpose:
      'whether the brokers allow DescribeConfigs; false states that all topics have the retention these settings name',
  }),
} satisfies Settings;

export type CheckedTermSettings = TermSettings & { readonly topicSettingsReadable: boolean };

/** Faults of the sum of all terms; none where one of the terms could not be read. */
export function checkTermSettings(settings: Partial<TermSettings>): string[] {
  const { lateHoursMax, edgeWaitHours, requestLogTopicHours, deadLetterHours } = settings;
  if (
    lateHoursMax === undefined ||
    edgeWaitHours === undefined ||
    requestLogTopicHours === undefined ||
    deadLetterHours === undefined
  ) {
    return [];
  }
  return settingFaults({ lateHoursMax, edgeWaitHours, requestLogTopicHours, deadLetterHours });
}
