/*
 * The values of a line that a record is made of, by fixed places: whatever the format, a value is where it is looked for.
 */

/** The values of a line by their places in `PLACES`; undefined where the format lacks a variable. */
export type Values = readonly (string | undefined)[];

/** Places in `Values`. */
export const PLACES = {
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
/** Variables a record is made of, by their places; the one that holds the code comes behind them. */
export const VARIABLES: readonly string[] = Object.keys(PLACES);
export const CODE_PLACE = VARIABLES.length;

/** Undefined too where nginx had none, or it is empty. */
export function known(values: Values, place: number): string | undefined {
  const value = values[place];
  return value === '' || value === '-' ? undefined : value;
}
