/*
 * The request log: one record for every interface request. Two shapes of it live here: `RequestLog` as it
 * is stored (Avro, microseconds, 16-byte addresses) and `RequestLogJson` as a gateway sends it.
 */
import type { Outcome } from './outcome.js';

/** As written to Avro. Durations in microseconds; strings are empty and `http_status` 0 where unknown. */
export type RequestLog = {
  /** Event time at the gateway, epoch milliseconds. */
  readonly time: number;
  readonly sdk_app_id: number;
  /** `<service>/<command>`, such as `openim/sendmsg`. */
  readonly interface: string;
  /** 16 bytes in network order; IPv4 mapped into ::ffff:0:0/96. */
  readonly exit_ip: Buffer;
  readonly latency_us: number;
  /** Time spent behind the gateway, where the source knows it. */
  readonly upstream_us: number | null;
  /** Network round trip to the caller, where the source knows it. */
  readonly rtt_us: number | null;
  /** The IM result code; null where the source cannot know it. */
  readonly code: number | null;
  readonly http_status: number;
  readonly outcome: Outcome;
  readonly exception: string;
  readonly cause: string;
  readonly node: string;
  readonly region: string;
  readonly platform: string;
  readonly sdk_version: string;
  readonly request_id: string;
  /** 1, unless sampled: how many requests this one stands for. */
  readonly weight: number;
};

/** As sent to `POST /v1/request-logs`. Fields that may be left out are optional; unknown fields are refused. */
export type RequestLogJson = {
  /** RFC 3339, or epoch milliseconds. */
  readonly time: string | number;
  readonly sdk_app_id: number;
  readonly interface: string;
  /** IPv4 or IPv6 as text. */
  readonly exit_ip: string;
  readonly latency_ms: number;
  readonly upstream_ms?: number | null;
  readonly rtt_ms?: number | null;
  readonly code?: number | null;
  readonly http_status?: number;
  readonly exception?: string;
  readonly cause?: string;
  readonly node?: string;
  readonly region?: string;
  readonly platform?: string;
  readonly sdk_version?: string;
  readonly request_id?: string;
};

/** Bounds a record is held to at the edge; lengths in UTF-16 units, durations in microseconds. */
export const REQUEST_LOG_BOUNDS = {
  /** Ids are 32 bits wide today; 52 bits is what every part on the way keeps exact. */
  sdkAppIdMax: 2 ** 52 - 1,
  interfaceLengthMax: 128,
  /** One day: longer is a broken clock, not a slow request. */
  durationUsMax: 86_400_000_000,
  codeMin: -2_147_483_648,
  codeMax: 2_147_483_647,
  exceptionLengthMax: 256,
  causeLengthMax: 2_048,
  labelLengthMax: 128,
  requestIdLengthMax: 128,
  /** How far ahead of the collector's clock an event may be. How old it may be is LATE_HOURS_MAX. */
  aheadMsMax: 5 * 60_000,
} as const;
