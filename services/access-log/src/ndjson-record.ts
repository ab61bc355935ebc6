/*
 * Reads a line of NDJSON, which is a record in the collector's JSON. The collector validates it; only a line that is no
 * JSON object is refused here, so that it does not make the collector refuse the complete body.
 */
import { decimalOfText } from '@imscope/schemas/decimal-text.js';
import { parseRfc3339 } from './log-time.js';
import { rejected, type Rejected } from './reject-reasons.js';
import type { LineRecord } from './line-record.js';

/** @param line one line of an NDJSON file */
export function readNdjsonRecord(line: string): LineRecord | Rejected {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return rejected('malformed_json');
  }
  if (!isObject(value)) return rejected('not_an_object');
  const { sdk_app_id: sdkAppId } = value;
  // Some shippers write the time as `@timestamp`; the collector reads the same.
  const time = value.time ?? value['@timestamp'];
  const timeMs = finite(time) ?? (typeof time === 'string' ? parseRfc3339(time) : undefined);
  return {
    ok: true,
    timeMs,
    sdkAppId: finite(sdkAppId) ?? 0,
    toJson: (shiftMs) =>
      // As it was written, unless its time moves: the collector validates the sender's own bytes.
      shiftMs === 0 || timeMs === undefined ? line : JSON.stringify({ ...value, time: timeMs + shiftMs }),
  };
}

type Raw = { readonly time?: unknown; readonly '@timestamp'?: unknown; readonly sdk_app_id?: unknown };

function isObject(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A number, or one as text. */
function finite(value: unknown): number | undefined {
  if (typeof value === 'string') return decimalOfText(value);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
