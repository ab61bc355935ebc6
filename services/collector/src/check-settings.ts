/* What is wrong with the settings together, where each alone is good. All of it at once, before anything starts. */
import { checkSourceSettings } from '@imscope/access/source-settings.js';
import { checkTermSettings } from '@imscope/runtime/term-settings.js';
import type { CollectorConfig } from './config.js';
import { checkHistorySettings } from './history-settings.js';
import { checkTailSettings } from './tail/tail-settings.js';

/** @param config settings that could not be read are undefined, and are not checked */
export function checkCollectorSettings(config: Partial<CollectorConfig>): readonly string[] {
  return [
    ...checkTermSettings(config),
    ...checkHistorySettings(config),
    ...checkSources(config),
    ...checkTailSettings(config),
  ];
}

/** Records come over HTTP or out of files. */
function checkSources(settings: Partial<CollectorConfig>): string[] {
  const { collectorListen, tailFiles } = settings;
  const errors = checkSourceSettings(settings, collectorListen !== false);
  if (collectorListen === false && (tailFiles ?? []).length === 0) {
    errors.push(
      'COLLECTOR_LISTEN is "false" and TAIL_FILES is not set: nothing could come in; give one of them',
    );
  }
  return errors;
}
