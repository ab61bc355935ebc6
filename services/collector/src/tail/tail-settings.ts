/* Settings of tailing, checked together and against the log format they name; and the reader of lines they describe. */
import type { AccessLogOptions } from '@imscope/access-log/access-log-options.js';
import { LogFormatError } from '@imscope/access-log/log-format-error.js';
import { formatOfText } from '@imscope/access-log/log-format-directives.js';
import { logFormatOfFile } from '@imscope/access-log/log-format-file.js';
import { createLineReader, type LineReader } from './line-reader.js';

/** Settings that describe how to read an access log. */
const LOG_SETTINGS = {
  TAIL_LOG_FORMAT: 'tailLogFormat',
  TAIL_LOG_FORMAT_FILE: 'tailLogFormatFile',
  TAIL_LOG_FORMAT_NAME: 'tailLogFormatName',
  TAIL_CODE_VARIABLE: 'tailCodeVariable',
  TAIL_APPLICATION: 'tailApplication',
  TAIL_NODE: 'tailNode',
  TAIL_REGION: 'tailRegion',
} as const satisfies Record<string, keyof TailSettings>;

/** Settings that say which files are tailed, and how their lines are read. */
export type TailSettings = {
  readonly tailFiles: readonly string[];
  readonly tailFormat: 'nginx' | 'clb' | 'ndjson';
  readonly tailLogFormat: string;
  readonly tailLogFormatFile: string;
  readonly tailLogFormatName: string;
  readonly tailCodeVariable: string;
  readonly tailApplication: number;
  readonly tailNode: string;
  readonly tailRegion: string;
};

/** What is wrong with these settings together. Those that could not be read are undefined, and are not checked. */
export function checkTailSettings(config: Partial<TailSettings>): readonly string[] {
  const given = Object.entries(LOG_SETTINGS)
    .filter(([, key]) => config[key] !== undefined && config[key] !== '' && config[key] !== 0)
    .map(([name]) => name);
  if ((config.tailFiles ?? []).length === 0) {
    return given.length > 0 ? [`${given.join(', ')} tell how to read TAIL_FILES, which is not set`] : [];
  }
  if (config.tailFormat === 'ndjson' && given.length > 0) {
    return [`${given.join(', ')} tell how to read an access log: leave them out with TAIL_FORMAT=ndjson`];
  }
  if (
    Object.values(LOG_SETTINGS).some((key) => config[key] === undefined) ||
    config.tailFormat === undefined
  ) {
    return [];
  }
  try {
    const { hasDuration } = createTailReader(config as TailSettings);
    return hasDuration
      ? []
      : ['the log format has no $request_time, so every line would be refused: add it to the log_format'];
  } catch (error) {
    if (!(error instanceof LogFormatError)) throw error;
    return [`TAIL_LOG_FORMAT: ${error.message}`];
  }
}

/** @throws LogFormatError where no usable log format is configured */
export function createTailReader(config: TailSettings): LineReader {
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

/** Undefined for the default formats. */
function formatsOf(config: TailSettings): AccessLogOptions['formats'] | undefined {
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
