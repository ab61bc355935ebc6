/*
 * SQL that makes request logs of a fleet's shape inside the store, and their metrics. Every value is a function of the
 * hour and of the row's number in it, so a span that is loaded later, or again, has the same rows.
 *
 * 5,000 applications of Zipf size (the biggest has 8 % of the requests, the smallest one request in a minute or two),
 * 40 interfaces of Zipf use, 300 nodes in 6 regions, 5,000 networks. Requests follow the hour of the day.
 */
import { ALL_CODES } from '@imscope/schemas/codes/catalogue.js';
import { latencyBucketSql } from '@imscope/schemas/latency-histogram.js';
import {
  CAUSE_TEMPLATES,
  EXCEPTIONS,
  INTERFACES,
  NETWORKS,
  REGIONS,
  SIX_BYTE_NETWORKS,
} from './fleet-names.js';

export const APPLICATIONS = 5_000;
/** The application of rank n has this SDKAppID plus n; rank 1 is the biggest. */
export const FIRST_APP_ID = 1_400_000_000;
const NODES = 300;
/** Of applications that are sampled (one in 13), each logged success stands for so many. */
const SAMPLED_WEIGHT = 4;

const codesOf = (outcome: string): number[] =>
  ALL_CODES.filter(({ code, outcome: known }) => code >= 10_000 && known === outcome).map(({ code }) => code);

/** Bound by every statement that makes rows. */
export const FLEET_PARAMS = {
  interfaces: INTERFACES,
  regions: REGIONS,
  networks: NETWORKS,
  networks_v6: SIX_BYTE_NETWORKS,
  exceptions: EXCEPTIONS,
  causes: CAUSE_TEMPLATES,
  service_codes: codesOf('service_error').slice(0, 24),
  caller_codes: codesOf('caller_error').slice(0, 40),
};

/** A number from 0 to 1 out of 16 bits of a hash. */
const share = (hash: string, bits: 0 | 16 | 32 | 48): string =>
  `(bitAnd(bitShiftRight(${hash}, ${bits}), 65535) / 65536)`;
/** Zipf with exponent 1: 1 is drawn most often. The 32 upper bits decide. */
const zipf = (hash: string, of: number): string =>
  `toUInt32(least(${of}, floor(pow(${of + 1}, bitShiftRight(${hash}, 32) / 4294967296))))`;
const pick = (array: string, index: string): string => `${array}[1 + ${index} % length(${array})]`;

/**
 * Inserts the rows of an hour whose times lie in a span.
 * Parameters: those of `FLEET_PARAMS`, `hour_ms`, `hour_rows`, `from_ms` and `to_ms` within the hour.
 */
export const INSERT_LOGS_SQL = `
INSERT INTO request_log (
  time, sdk_app_id, interface, exit_ip, latency_us, upstream_us, rtt_us, code, http_status, outcome, exception, cause,
  node, region, platform, sdk_version, request_id, weight, block_id, block_row
)
WITH
  {interfaces:Array(String)} AS interfaces,
  {regions:Array(String)} AS regions,
  {networks:Array(UInt32)} AS networks,
  {networks_v6:Array(String)} AS networks_v6,
  {exceptions:Array(String)} AS exceptions,
  {causes:Array(String)} AS causes,
  {service_codes:Array(Int32)} AS service_codes,
  {caller_codes:Array(Int32)} AS caller_codes
SELECT
  fromUnixTimestamp64Milli(time_ms, 'UTC') AS time,
  ${FIRST_APP_ID} + rank AS sdk_app_id,
  interfaces[interface_rank] AS interface,
  if(network % 10 = 9,
    CAST(toFixedString(concat(unhex(${pick('networks_v6', 'network')}), reinterpretAsFixedString(toUInt32(network)), reinterpretAsFixedString(h4)), 16) AS IPv6),
    IPv4ToIPv6(toIPv4(toUInt32(${pick('networks', 'network')} + bitAnd(intHash32(network), 65280) + 1 + h4 % 254)))
  ) AS exit_ip,
  toUInt64(base_us * exp(0.5 * (${share('h3', 0)} + ${share('h3', 16)} + ${share('h3', 32)} + ${share('h3', 48)} - 2) * 1.73)
    * if(kind = 1 AND h4 % 3 = 0, 40, 1) * if(network % 401 = 7, 3, 1)) AS latency_us,
  if(h4 % 10 = 0, NULL, toUInt64(latency_us * 0.8)) AS upstream_us,
  if(h4 % 10 = 1, NULL, toUInt64((8000 + network % 60 * 1000) * (1 + ${share('h4', 16)}))) AS rtt_us,
  multiIf(kind = 0, 0, kind = 1, ${pick('service_codes', 'cause_rank')}, kind = 2, ${pick('caller_codes', 'caller_rank')}, NULL) AS code,
  if(kind = 1 AND h4 % 4 = 0, 504, 200) AS http_status,
  CAST(multiIf(kind = 0, 'success', kind = 2, 'caller_error', kind = 1, 'service_error', 'unknown') AS Enum8('success' = 0, 'caller_error' = 1, 'service_error' = 2, 'unknown' = 3)) AS outcome,
  if(kind = 1, ${pick('exceptions', 'cause_rank')}, '') AS exception,
  if(kind = 1, replaceAll(replaceAll(replaceAll(${pick('causes', 'cause_rank')},
    '<hex>', lower(hex(h5))), '<number>', toString(h5 % 100000)), '<ip>', concat('10.', toString(h5 % 4), '.', toString(node_index % 100), '.', toString(h4 % 256))), '') AS cause,
  concat('gw-', leftPad(toString(node_index), 3, '0')) AS node,
  regions[1 + node_index % length(regions)] AS region,
  ['ios', 'android', 'web', 'windows', 'mac', 'server'][1 + intDiv(h4, 65536) % 6] AS platform,
  concat(toString(6 + h3 % 3), '.', toString(intDiv(h3, 8) % 6), '.', toString(rank % 3)) AS sdk_version,
  lower(hex(h5)) AS request_id,
  if(rank % 13 = 4 AND kind = 0, ${SAMPLED_WEIGHT}, 1) AS weight,
  toUInt64(hour_ms) AS block_id,
  toUInt32(number) AS block_row
FROM (
  SELECT
    number,
    {hour_ms:Int64} AS hour_ms,
    hour_ms + toInt64((number + ${share('h1', 0)}) * 3600000 / {hour_rows:UInt64}) AS time_ms,
    intHash64(hour_ms * 8191 + number * 8 + 1) AS h1,
    intHash64(h1 + 1) AS h2,
    intHash64(h1 + 2) AS h3,
    intHash64(h1 + 3) AS h4,
    intHash64(h1 + 4) AS h5,
    ${zipf('h1', APPLICATIONS)} AS rank,
    ${zipf('h2', INTERFACES.length)} AS interface_rank,
    ${zipf('h3', 5_000)} AS network,
    -- Three of four requests come in at the region of the application.
    toUInt32(if(h2 % 4 = 0, intDiv(h2, 4) % ${NODES}, rank % ${REGIONS.length} + ${REGIONS.length} * (intDiv(h2, 4) % ${NODES / REGIONS.length}))) AS node_index,
    zipf_cause.1 AS cause_rank,
    zipf_cause.2 AS caller_rank,
    (${zipf('intHash64(h1 + 5)', CAUSE_TEMPLATES.length)}, ${zipf('intHash64(h1 + 6)', 40)}) AS zipf_cause,
    toFloat64(3000 * (1 + interface_rank % 9)) AS base_us,
    0.003
      + if(node_index = 137, 0.08, 0)
      + if(rank % 50 = 7 AND interface_rank = 3, 0.05, 0)
      + if(network % 401 = 7, 0.02, 0) AS service_share,
    ${share('intHash64(h1 + 7)', 16)} AS outcome_share,
    -- 0 success, 1 service error, 2 caller error, 3 unknown
    multiIf(outcome_share < service_share, 1, outcome_share < service_share + 0.02, 2, outcome_share < service_share + 0.022, 3, 0) AS kind
  FROM numbers_mt({hour_rows:UInt64})
  WHERE time_ms >= {from_ms:Int64} AND time_ms < {to_ms:Int64}
)`;

/** Inserts the metrics of the minutes from `from_ms` to `to_ms`, out of the logs of them. */
export const INSERT_METRICS_SQL = `
INSERT INTO interface_metric (
  window_start, window_s, sdk_app_id, interface, region, success, caller_error, service_error, unknown, codes,
  latency_sum_us, latency_max_us, latency_histogram, logged_weight
)
SELECT
  minute, 60, sdk_app_id, interface, region,
  sumIf(weights, outcome = 'success'), sumIf(weights, outcome = 'caller_error'),
  sumIf(weights, outcome = 'service_error'), sumIf(weights, outcome = 'unknown'),
  CAST(sumMap([ifNull(toString(code), 'none')], [weights]) AS Map(String, UInt64)),
  sum(sum_us), max(max_us),
  CAST(sumMap([bucket], [weights]) AS Map(Int16, UInt64)),
  sum(weights)
FROM (
  SELECT
    toStartOfMinute(time) AS minute, sdk_app_id, interface, region, code, outcome,
    ${latencyBucketSql('latency_us')} AS bucket,
    toUInt64(sum(weight)) AS weights, sum(latency_us * weight) AS sum_us, max(latency_us) AS max_us
  FROM request_log
  WHERE time >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')
  GROUP BY minute, sdk_app_id, interface, region, code, outcome, bucket
)
GROUP BY minute, sdk_app_id, interface, region`;

/** Names as the registry would have distributed them. */
export const INSERT_NAMES_SQL = `
INSERT INTO application_detail (sdk_app_id, name, package, owner, region, revision, deleted)
SELECT
  ${FIRST_APP_ID} + 1 + number, concat('Application ', toString(number + 1)),
  ['trial', 'professional', 'flagship'][1 + number % 3], concat('team-', toString(number % 120)),
  {regions:Array(String)}[1 + number % ${REGIONS.length}], 1, false
FROM numbers(${APPLICATIONS})`;
