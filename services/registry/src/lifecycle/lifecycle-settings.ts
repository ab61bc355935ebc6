/* Settings of the end of an application. */
import { integer, type Settings } from '@imscope/runtime/config.js';

export const LIFECYCLE_SETTINGS = {
  purgeWithinHours: integer({
    default: 24,
    min: 1,
    max: 168,
    purpose: 'hours from when a purge is due until it is promised to be complete',
  }),
  auditKeepDays: integer({
    default: 730,
    // The notices of a termination are needed until its purge, and who changed what while a change is merged.
    min: 90,
    max: 3_650,
    purpose: 'days after which entries of the audit and notices are deleted',
  }),
} satisfies Settings;
