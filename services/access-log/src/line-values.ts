/*
 * The values of a line from which a record is made, by an index that is the same for every format.
 */

/** The values of a line by their index in `VALUE_INDEX`; undefined where the format lacks the variable. */
export type Values = readonly (string | undefined)[];

/** Indexes in `Values`, by variable. */
export const VALUE_INDEX = {
  msec: 0,
  time_iso8601: 1,
  time_local: 2,
  request: 3,
  request_uri: 4,
  uri: 5,
  args: 6,
  query_string: 7,
  arg_sdkappid: 8,
  remote_addr: 9,
  status: 10,
  request_time: 11,
  upstream_response_time: 12,
  tcpinfo_rtt: 13,
  request_id: 14,
  stgw_request_id: 15,
  hostname: 16,
  /** `$uri$is_args$args` */
  uri_with_args: 17,
  request_method: 18,
  upstream_status: 19,
  proxy_protocol_addr: 20,
} as const;
/** Variables from which a record is made, by index; the one with the code comes after them. */
export const VARIABLES: readonly string[] = Object.keys(VALUE_INDEX);
export const CODE_INDEX = VARIABLES.length;

/** The value; undefined also where nginx wrote `-` or nothing. */
export function knownValue(values: Values, index: number): string | undefined {
  const value = values[index];
  return value === '' || value === '-' ? undefined : value;
}
