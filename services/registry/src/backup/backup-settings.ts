/* Settings of backups. */
import { integer, type Settings } from '@imscope/runtime/config.js';

export const BACKUP_SETTINGS = {
  backupIntervalHours: integer({
    default: 24,
    min: 0,
    max: 720,
    purpose: 'hours from one backup to the next; 0: only the command makes backups',
  }),
  backupKeepDays: integer({
    default: 30,
    min: 1,
    max: 90,
    purpose: 'days a backup is kept; a purged application is in backups for as long',
  }),
} satisfies Settings;
