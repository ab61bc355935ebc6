/* What is wrong with the settings together, where each alone is good. All of it at once, before anything starts. */
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
function checkSources({ collectorListen, registryFile, tailFiles }: Partial<CollectorConfig>): string[] {
  const errors: string[] = [];
  if (collectorListen !== false && registryFile === '') {
    errors.push(
      'REGISTRY_FILE is not set: give the JSON file that says who may send, or COLLECTOR_LISTEN=false where all that comes is tailed',
    );
  }
  if (collectorListen === false && (tailFiles ?? []).length === 0) {
    errors.push(
      'COLLECTOR_LISTEN is "false" and TAIL_FILES is not set: nothing could come in; give one of them',
    );
  }
  return errors;
}
