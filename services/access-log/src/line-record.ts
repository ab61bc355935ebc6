/* A record that was read from one line of a file. */
import { RawFields } from '@imscope/schemas/raw-fields.js';
import type { Rejected } from './reject-reasons.js';

/** One record ready to be sent. */
export type LineRecord = {
  readonly ok: true;
  /** Epoch milliseconds; undefined where the record's time cannot be read here. */
  readonly timeMs: number | undefined;
  /** 0 where the record has none that can be read here. */
  readonly sdkAppId: number;
  /** The record as the collector accepts it, one line of JSON, its time moved by `shiftMs`. */
  toJson(shiftMs: number): string;
};

/** Turns lines without their line end into records. Pure. */
export type ReadRecord = (line: string) => LineRecord | Rejected;

/** A record from an access log; fields that the log lacks are undefined. */
export class LoggedRecord extends RawFields {
  /** Epoch milliseconds. */
  declare time: number;
  declare sdk_app_id: number;
  declare exit_ip: string;
}
