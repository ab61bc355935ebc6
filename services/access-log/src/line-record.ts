/* What one line of a file comes to. */
import { RawFields } from '@imscope/schemas/raw-fields.js';
import type { Rejected } from './reject-reasons.js';

/** One record ready to be sent. */
export type LineRecord = {
  readonly ok: true;
  /** Epoch milliseconds; undefined where the record's time cannot be read here. */
  readonly timeMs: number | undefined;
  /** 0 where the record names none that can be read here. */
  readonly sdkAppId: number;
  /** The record as the collector takes it, one line of JSON, its time moved by `shiftMs`. */
  toJson(shiftMs: number): string;
};

/** Turns lines without their line end into records. Pure. */
export type ReadRecord = (line: string) => LineRecord | Rejected;

/** A record as an access log tells it: what is unknown is undefined. */
export class LoggedRecord extends RawFields {
  /** Epoch milliseconds. */
  declare time: number;
  declare sdk_app_id: number;
  declare exit_ip: string;
}
