/* The check of REGISTRY_FILE that `check` makes before a start. */
import { probe, type Probe, type TextSetting } from '@imscope/runtime/setting-probes.js';
import { readApplicationsFile } from './applications-file.js';

/** An applications file that can be read and is well formed. An unset one passes. */
export function readableApplicationsFile<C>(setting: TextSetting<C>): Probe<C> {
  return probe(setting, (config) => {
    const path = String(config[setting]);
    if (path !== '') readApplicationsFile(path);
  });
}
