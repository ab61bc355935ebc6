/* Settings of the end of an application. */
import { integer, type Settings } from '@imscope/runtime/config.js';

export const LIFECYCLE_SETTINGS = {
  purgeWithinHours: integer({
    default: 24,
    min: 1,
    max: 168,
    purpose: 'hours from when a purge is due until it is promised to be complete',
  }),
} satisfies Settings;
