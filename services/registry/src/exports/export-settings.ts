/* Settings of exports, and of the telemetry store that request logs are read from. */
import { integer, type Settings, text } from '@imscope/runtime/config.js';
import { STORE_SETTINGS } from '@imscope/runtime/store-client.js';
import { TERM_HOURS } from '@imscope/schemas/retention.js';

const GIB = 1024 ** 3;
/** Two calendar months are at least 59 days: an export ends before an application that is terminated meanwhile. */
const EXPORT_DAYS_MAX = 30;

export const EXPORT_SETTINGS = {
  exportDays: integer({
    default: 7,
    min: 1,
    max: EXPORT_DAYS_MAX,
    purpose:
      'days that an export of applications exists at most; one of request logs ends with its oldest row',
  }),
  exportBytesMax: integer({
    default: GIB,
    min: 1_000,
    max: 64 * GIB,
    purpose: 'bytes of one export, compressed; a larger one is refused',
  }),
  ...STORE_SETTINGS,
  storeUrl: text({
    default: '',
    pattern: /^https?:\/\/[^@\s]+$/,
    allowed: 'an http(s) URL without credentials',
    purpose:
      'where the telemetry store answers; not set: no request logs are exported, and purges do not look there',
  }),
} satisfies Settings;

/** Days that any export exists at most, for the rules of the bucket. */
export function exportDaysMax({ exportDays }: { readonly exportDays: number }): number {
  return Math.max(exportDays, TERM_HOURS.requestLog / 24);
}
