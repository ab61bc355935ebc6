/*
 * Settings of tailing held against each other and against the log format they lead to, before anything starts: what
 * is wrong is said all at once, as settings are.
 */
import type { AccessLogOptions } from '@imscope/access-log/access-log-options.js';
import { LogFormatError } from '@imscope/access-log/log-format-error.js';
import { formatOfText } from '@imscope/access-log/log-format-directives.js';
import { logFormatOfFile } from '@imscope/access-log/log-format-file.js';
import type { CollectorConfig } from '../config.js';
import { createLineReader, type LineReader } from './line-reader.js';

/** Settings that tell how to read an access log. */
const LOG_SETTINGS = {
  TAIL_LOG_FORMAT: 'tailLogFormat',
  TAIL_LOG_FORMAT_FILE: 'tailLogFormatFile',
  TAIL_LOG_FORMAT_NAME: 'tailLogFormatName',
  TAIL_CODE_VARIABLE: 'tailCodeVariable',
  TAIL_APPLICATION: 'tailApplication',
  TAIL_NODE: 'tailNode',
  TAIL_REGION: 'tailRegion',
} as const satisfies Record<string, keyof CollectorConfig>;

/** What is wrong with the settings beside each other. Those that could not be read are undefined, and judged by nobody. */
export function checkCollectorSettings(config: Partial<CollectorConfig>): readonly string[] {
  const errors: string[] = [];
  const tails = (config.tailFiles ?? []).length > 0;
  if (config.collectorListen !== false && config.registryFile === '') {
    errors.push(
      'REGISTRY_FILE is not set: give the JSON file that says who may send, or COLLECTOR_LISTEN=false where all that comes is tailed',
    );
  }
  if (config.collectorListen === false && !tails) {
    errors.push(
      'COLLECTOR_LISTEN is "false" and TAIL_FILES is not set: nothing could come in; give one of them',
    );
  }
  const given = Object.entries(LOG_SETTINGS)
    .filter(([, key]) => config[key] !== undefined && config[key] !== '' && config[key] !== 0)
    .map(([name]) => name);
  if (!tails) {
    if (given.length > 0) errors.push(`${given.join(', ')} tell how to read TAIL_FILES, which is not set`);
    return errors;
  }
  if (config.tailFormat === 'ndjson' && given.length > 0) {
    return [
      ...errors,
      `${given.join(', ')} tell how to read an access log: leave them out with TAIL_FORMAT=ndjson`,
    ];
  }
  if (
    Object.values(LOG_SETTINGS).some((key) => config[key] === undefined) ||
    config.tailFormat === undefined
  ) {
    return errors;
  }
  try {
    const { hasDuration } = createTailReader(config as CollectorConfig);
    if (!hasDuration) {
      errors.push(
        'the log format has no $request_time, so every line would be refused: add it to the log_format',
      );
    }
  } catch (error) {
    if (!(error instanceof LogFormatError)) throw error;
    errors.push(`TAIL_LOG_FORMAT: ${error.message}`);
  }
  return errors;
}

/** @throws LogFormatError where there is no log format that could be used */
export function createTailReader(config: CollectorConfig): LineReader {
  const formats = formatsOf(config);
  const code = config.tailCodeVariable;
  if (formats === undefined && code !== '') {
    throw new LogFormatError(
      `the usual format has no $${code}: give the log's own by TAIL_LOG_FORMAT or TAIL_LOG_FORMAT_FILE`,
    );
  }
  return createLineReader(config.tailFormat, {
    formats,
    sdkAppId: config.tailApplication === 0 ? undefined : config.tailApplication,
    codeVariable: given(code),
    node: given(config.tailNode),
    region: given(config.tailRegion),
  });
}

function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}

/** Undefined: the usual ones. */
function formatsOf(config: CollectorConfig): AccessLogOptions['formats'] | undefined {
  const { tailLogFormat, tailLogFormatFile, tailLogFormatName } = config;
  if (tailLogFormat !== '' && tailLogFormatFile !== '') {
    throw new LogFormatError('give either TAIL_LOG_FORMAT or TAIL_LOG_FORMAT_FILE, not both');
  }
  if (tailLogFormatFile !== '') {
    return [logFormatOfFile(tailLogFormatFile, given(tailLogFormatName))];
  }
  if (tailLogFormatName !== '') throw new LogFormatError('TAIL_LOG_FORMAT_NAME needs TAIL_LOG_FORMAT_FILE');
  return tailLogFormat === '' ? undefined : [formatOfText(tailLogFormat)];
}
