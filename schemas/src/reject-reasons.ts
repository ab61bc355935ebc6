/*
 * Why a record or a line is refused: the closed list, what each reason means and what its sender should do. A reason is
 * part of the HTTP contract, the label of a metric and a key of edge accounts, so its meaning never changes.
 */

type Explained = { readonly meaning: string; readonly advice: string };

/** Of records, in whatever form they are sent. */
export const RECORD_REJECT_REASONS = {
  malformed_json: {
    meaning: 'A line is not JSON.',
    advice: 'Send one complete JSON object a line. Look for lines that the shipper cuts, wraps or prefixes.',
  },
  not_an_object: {
    meaning: 'The record is JSON but no object.',
    advice: 'Send each record as one object, not as text or as an array within an array.',
  },
  missing_field: {
    meaning: 'A required field is absent or null.',
    advice: 'Every record needs time, sdk_app_id, interface, exit_ip and latency_ms.',
  },
  wrong_type: {
    meaning: 'A field has another JSON type, or a whole number has a fraction.',
    advice: 'Compare the field named in the collector’s log with the table of fields.',
  },
  unknown_field: {
    meaning: 'The record has a field that the contract does not define.',
    advice: 'Remove the fields that the shipper adds, or correct a misspelt name.',
  },
  out_of_range: {
    meaning: 'A number is outside its bounds.',
    advice: 'Check its unit: durations are milliseconds, a status is 100 to 599.',
  },
  invalid_time: {
    meaning: 'The time is neither RFC 3339 nor epoch milliseconds.',
    advice: 'Write the time as 2026-03-01T12:00:00.123Z or as epoch milliseconds.',
  },
  time_too_old: {
    meaning: 'The time is longer ago than the collector accepts.',
    advice: 'Send sooner, raise LATE_HOURS_MAX, or check that the time is milliseconds and not seconds.',
  },
  time_too_new: {
    meaning: 'The time is more than five minutes ahead of the collector.',
    advice: 'Correct the clock or the time zone of the gateway.',
  },
  invalid_ip: {
    meaning: 'exit_ip is neither an IPv4 nor an IPv6 address.',
    advice: 'Send the address without a zone or a host name; a port after it is dropped.',
  },
  invalid_interface: {
    meaning: 'The interface is not words with slashes between.',
    advice: 'Send service and command, such as openim/sendmsg, without a query string.',
  },
  too_long: {
    meaning: 'A text is longer than its bound.',
    advice: 'Shorten the field named in the collector’s log at the source.',
  },
  application_not_allowed: {
    meaning: 'The token does not speak for the application of the record.',
    advice: 'Use the token of that application, or add the application to the token’s grant.',
  },
  application_suspended: {
    meaning: 'The application is suspended: its records are refused, and its data can be read.',
    advice: 'Ask the operator why, or stop sending for it; records are accepted again once it is activated.',
  },
  application_terminated: {
    meaning: 'The application is terminated: its records are refused, and its data cannot be read.',
    advice: 'Stop sending for it, or ask the operator to restore it within its restore window.',
  },
  application_of_other_region: {
    meaning: 'The application is kept in another region than the collector’s.',
    advice: 'Send its records to a collector of its own region, which the refusal names.',
  },
  application_unknown: {
    meaning: 'The registry does not know the application, and this collector accepts known ones only.',
    advice: 'Check the SDKAppID, or create the application in the registry first.',
  },
  rate_limited: {
    meaning: 'The application is over its limit of records a second.',
    advice: 'Send fewer, send these again later, or ask the operator for a higher limit.',
  },
} as const satisfies Readonly<Record<string, Explained>>;

/** Of lines of access logs and tailed files, before they are records. */
export const LINE_REJECT_REASONS = {
  line_too_long: {
    meaning: 'A line is longer than 64 KiB.',
    advice: 'Remove request bodies and other long variables from the log format.',
  },
  malformed_line: {
    meaning: 'A line does not fit the log format.',
    advice: 'Give the collector the log_format that the file was written with.',
  },
  ambiguous_line: {
    meaning: 'A line fits the log format in more than one way, because a value holds its separators.',
    advice: 'Put variables that a client can choose in quotes, or use escape=json.',
  },
  malformed_request: {
    meaning: 'The request line is not "METHOD /path HTTP/x".',
    advice: 'Usually scans and broken clients: nothing to do where they are few.',
  },
  not_im_request: {
    meaning: 'The path is not /v4/<service>/<command>, and no application is set.',
    advice: 'Log other paths elsewhere, or set the application and the path prefix of the file.',
  },
  missing_application: {
    meaning: 'The request line has no sdkappid, and no application is set.',
    advice: 'Set the application of the file, or log the request line with its query string.',
  },
  invalid_application: {
    meaning: 'sdkappid is not a whole number from 1 to 2^52 - 1.',
    advice: 'Usually a client’s mistake: nothing to do where they are few.',
  },
  missing_time: { meaning: 'A line has no time.', advice: 'Add $msec or $time_iso8601 to the log format.' },
  missing_duration: {
    meaning: 'A line has no request time.',
    advice: 'Add $request_time to the log format.',
  },
  invalid_duration: {
    meaning: 'A duration is not seconds with a fraction, such as 0.012.',
    advice: 'Log $request_time as nginx writes it: a whole number is of another unit, such as Apache’s %D.',
  },
  protocol_switch: {
    meaning: 'The connection was switched to another protocol (WebSocket, CONNECT), so its time is no delay.',
    advice: 'Nothing to do: these are connections, not requests.',
  },
  missing_address: {
    meaning: 'A line has no address of the client.',
    advice: 'Add $remote_addr to the log format.',
  },
  invalid_status: {
    meaning: 'The status is no HTTP status.',
    advice: 'Use $status; requests that nginx closed without an answer have none.',
  },
  invalid_code: {
    meaning: 'The code variable is no whole number.',
    advice: 'Check which response header carries the code.',
  },
} as const satisfies Readonly<Record<string, Explained>>;

export type RecordRejectReason = keyof typeof RECORD_REJECT_REASONS;
export type LineRejectReason = keyof typeof LINE_REJECT_REASONS;
export type RejectReason = RecordRejectReason | LineRejectReason;

const REJECT_REASONS: ReadonlyMap<string, Explained> = new Map(
  Object.entries({ ...LINE_REJECT_REASONS, ...RECORD_REJECT_REASONS }),
);

/** @param reason as in an account: a collector of a later version may have more reasons */
export function describeRejectReason(reason: string): Explained {
  return (
    REJECT_REASONS.get(reason) ?? {
      meaning: 'This version does not know the reason.',
      advice: 'See the collector’s log.',
    }
  );
}
