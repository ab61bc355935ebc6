/*
 * Why a line of a file makes no record, as far as that is known before it is sent. The reasons are a subset of those in
 * `schemas`; the texts here describe the line.
 */
import type { RejectReason as AnyRejectReason } from '@imscope/schemas/reject-reasons.js';

export const REJECT_REASONS = {
  line_too_long: 'the line is longer than 64 KiB',
  malformed_json: 'the line is not JSON',
  not_an_object: 'the line is JSON but no object',
  malformed_line: 'the line does not fit the log format',
  ambiguous_line: 'the line fits the log format in more than one way, because a value holds its separators',
  malformed_request: 'the request line is not "METHOD /path HTTP/x"',
  not_im_request: 'the path is not /v4/<service>/<command>, and no --application was given',
  invalid_interface: 'the path has no usable name, or a longer one than 128 characters',
  missing_application: 'the request line has no sdkappid, and no --application was given',
  invalid_application: 'sdkappid is not a whole number from 1 to 2^52 - 1',
  missing_time: 'the line has no time',
  invalid_time: 'the time cannot be read',
  missing_duration: 'the line has no $request_time; an unknown duration is never read as 0',
  invalid_duration:
    'a duration is not seconds with a fraction such as 0.012, as nginx writes it: a whole number is of another unit, so log $request_time',
  protocol_switch:
    'the connection was switched to another protocol (status 101 or CONNECT): its $request_time is how long it was open, not a delay',
  missing_address: 'the line has no $remote_addr',
  invalid_ip: '$remote_addr is no IPv4 or IPv6 address',
  invalid_status: '$status is no HTTP status',
  invalid_code: 'the code variable is not a whole number',
} as const satisfies Partial<Readonly<Record<AnyRejectReason, string>>>;

export type RejectReason = keyof typeof REJECT_REASONS;

/** A line that makes no record. `detail` quotes what was received, never a query string. */
export type Rejected = { readonly ok: false; readonly reason: RejectReason; readonly detail: string };

export function rejected(reason: RejectReason, detail: string = REJECT_REASONS[reason]): Rejected {
  return { ok: false, reason, detail };
}
