/*
 * The variables of nginx, its ingress controller and load balancers whose values the server alone chooses, each with its
 * shape. What a caller chooses (`$http_*`, `$arg_*`, `$cookie_*`, `$request…`, `$args`, `$remote_user`,
 * `$content_length`, names and texts of a client's certificate) or an upstream (`$upstream_http_*`, `$sent_http_*`) is
 * not among them.
 */
import {
  ADDRESS,
  ADDRESSES,
  DECIMAL,
  DECIMALS,
  LETTERS,
  OWN_ADDRESS,
  PHRASE,
  PROTOCOL,
  type Shape,
  TIME_ISO,
  TIME_LOCAL,
  WHOLE,
  WORD,
} from './value-shapes.js';

const NAMES: readonly (readonly [Shape, string])[] = [
  [
    WHOLE,
    `status body_bytes_sent bytes_sent bytes_received request_length connection connection_requests pid
    remote_port server_port proxy_port proxy_protocol_port proxy_protocol_server_port realip_remote_port
    tcpinfo_rtt tcpinfo_rttvar tcpinfo_snd_cwnd tcpinfo_rcv_space connections_active connections_reading
    connections_writing connections_waiting limit_rate service_port geoip_area_code geoip_dma_code`,
  ],
  [DECIMAL, 'msec request_time connection_time session_time gzip_ratio brotli_ratio ssl_handshake_time'],
  [
    DECIMALS,
    `upstream_response_time upstream_connect_time upstream_header_time upstream_first_byte_time
    upstream_session_time upstream_queue_time upstream_status upstream_response_length
    upstream_bytes_received upstream_bytes_sent`,
  ],
  [ADDRESSES, 'upstream_addr'],
  [TIME_LOCAL, 'time_local'],
  [TIME_ISO, 'time_iso8601'],
  [PROTOCOL, 'server_protocol'],
  [ADDRESS, 'remote_addr realip_remote_addr proxy_protocol_addr'],
  [OWN_ADDRESS, 'server_addr proxy_protocol_server_addr'],
  [
    LETTERS,
    `scheme request_completion limit_req_status limit_conn_status upstream_cache_status https
    geoip_country_code geoip_country_code3 geoip_city_country_code geoip_city_country_code3
    geoip_city_continent_code`,
  ],
  [
    WORD,
    `server_name hostname pipe request_id nginx_version proxy_host protocol http2 http3
    connection_id ssl_protocol ssl_cipher ssl_curve ssl_session_reused ssl_session_id ssl_early_data
    ssl_alpn_protocol ssl_client_fingerprint ssl_client_serial ssl_client_v_remain otel_trace_id otel_span_id
    otel_parent_id otel_parent_sampled geoip_latitude geoip_longitude geoip_region
    stgw_request_id protocol_type vip_vpcid
    namespace ingress_name service_name proxy_upstream_name proxy_alternative_upstream_name`,
  ],
  [PHRASE, 'ssl_client_verify ssl_client_v_start ssl_client_v_end'],
];

const SHAPES: ReadonlyMap<string, Shape> = new Map(
  NAMES.flatMap(([shape, names]) => names.split(/\s+/).map((name) => [name, shape] as const)),
);

/** The shape of a value that the server alone writes; undefined for all other variables. */
export function shapeOf(variable: string): Shape | undefined {
  return SHAPES.get(variable);
}
