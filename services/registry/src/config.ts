/*
 * The registry's settings, one table. Each outside system is switched on by its own settings; without them the registry
 * keeps everything in one SQLite file and a folder.
 */
import { type Config, flag, integer, secret, type Settings, text } from '@imscope/runtime/config.js';
import { DATABASE_SETTINGS } from '@imscope/state/database-settings.js';
import { REGION_PATTERN } from '@imscope/schemas/application-state.js';
import { CALLBACK_SETTINGS } from './callbacks/callback-settings.js';
import { DISTRIBUTION_SETTINGS } from './distribution/distribution-settings.js';
import { EXPORT_SETTINGS } from './exports/export-settings.js';
import { LIFECYCLE_SETTINGS } from './lifecycle/lifecycle-settings.js';
import { BACKUP_SETTINGS } from './backup/backup-settings.js';
import { OBJECT_SETTINGS, objectSettingFaults } from './objects/object-settings.js';
import { MASTER_KEY_SETTINGS, masterKeySettingFaults } from './secrets/master-keys.js';
import { ENDPOINT_SETTINGS, endpointFaults } from './sharing/endpoint-settings.js';

export const REGISTRY_SETTINGS = {
  registryHost: text({ default: '127.0.0.1', purpose: 'address of the API' }),
  registryPort: integer({
    default: 8090,
    min: 0,
    max: 65_535,
    purpose: 'port of the API; 0 takes a free one',
  }),
  region: text({
    default: '',
    pattern: new RegExp(REGION_PATTERN),
    allowed: 'a region in lower-case letters, digits and dashes, such as singapore',
    purpose: 'data centre of applications that are created without one; not set: it must be given',
  }),
  registryFile: text({
    default: '',
    purpose: 'JSON file whose tokens are kept in the token table while they are in the file; not set: none',
  }),
  sessionKey: secret({
    default: '',
    purpose: 'the query service’s SESSION_KEY, for sessions of the dashboard; not set: bearer tokens alone',
  }),
  trustProxy: flag({
    default: false,
    purpose: 'true behind a proxy that sets X-Forwarded-For and X-Forwarded-Host; never otherwise',
  }),
  applicationsMax: integer({
    default: 1_000_000,
    min: 1,
    max: 10_000_000,
    purpose: 'applications kept, terminated ones included; beyond it none is created',
  }),
  ...DATABASE_SETTINGS,
  // MongoDB: versions of states. Not set: they are rows.
  mongoUrl: text({
    default: '',
    // Several hosts are separated by commas.
    pattern: /^mongodb(\+srv)?:\/\/([^:@/\s]+@)?[^@/\s]+\/\w+(\?\S*)?$/,
    allowed: 'mongodb://user@host:27017/database, without a password',
    purpose: 'database of the versions of configurations; not set: they are rows of the database',
  }),
  mongoPassword: secret({ default: '', purpose: 'password at MongoDB' }),
  ...OBJECT_SETTINGS,
  ...BACKUP_SETTINGS,
  ...MASTER_KEY_SETTINGS,
  ...EXPORT_SETTINGS,
  ...CALLBACK_SETTINGS,
  ...LIFECYCLE_SETTINGS,
  ...ENDPOINT_SETTINGS,
  ...DISTRIBUTION_SETTINGS,
} satisfies Settings;

export type RegistryConfig = Config<typeof REGISTRY_SETTINGS>;

/** Faults of combinations of settings, one sentence each. */
export function registrySettingFaults(config: Partial<RegistryConfig>): string[] {
  return [...objectSettingFaults(config), ...masterKeySettingFaults(config), ...endpointFaults(config)];
}
