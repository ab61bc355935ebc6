/* Reads the format of a log from an nginx configuration file. */
import { readFileSync } from 'node:fs';
import { chooseLogFormat, type NamedLogFormat, readLogFormats } from './log-format-directives.js';
import { LogFormatError } from './log-format-error.js';
import { byteOrderMarkBytes } from './text-encoding.js';

const CONFIGURATION_BYTES_MAX = 4 << 20;

/** The format called `name` in a file, or the only one. Throws LogFormatError where the format is missing or the file cannot be read. */
export function logFormatOfFile(file: string, name: string | undefined): NamedLogFormat {
  return chooseLogFormat(readLogFormats(readConfiguration(file)), name);
}

function readConfiguration(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LogFormatError(`${file} cannot be read: ${why}`, { cause: error });
  }
  if (bytes.length <= CONFIGURATION_BYTES_MAX) return bytes.toString('utf8', byteOrderMarkBytes(bytes));
  throw new LogFormatError(`${file} has ${bytes.length} bytes: that is no nginx configuration`);
}
