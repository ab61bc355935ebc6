/* Valid records for tests, each different from the next. */
import type { EdgeAccount } from '../src/edge-account.js';
import type { InterfaceMetric } from '../src/interface-metric.js';
import { parseIpAddress } from '../src/ip-address.js';
import { OUTCOMES } from '../src/outcome.js';
import type { RequestLog } from '../src/request-log.js';

export const SAMPLE_TIME = Date.UTC(2026, 10, 23, 12);

export function sampleRequestLog(index: number): RequestLog {
  return {
    time: SAMPLE_TIME + index,
    sdk_app_id: 1_400_000_001 + (index % 7),
    interface: ['openim/sendmsg', 'group_open_http_svc/send_group_msg', 'sns/friend_add'][index % 3] ?? '',
    exit_ip:
      parseIpAddress(index % 2 === 0 ? `203.0.113.${index % 250}` : `2001:db8::${index.toString(16)}`) ??
      Buffer.alloc(16),
    latency_us: 1_000 + index * 37,
    upstream_us: index % 3 === 0 ? null : 900 + index,
    rtt_us: index % 4 === 0 ? null : 40_000,
    code: index % 5 === 0 ? null : index % 11 === 0 ? 91_000 : 0,
    http_status: 200,
    outcome: OUTCOMES[index % 4] ?? 'unknown',
    exception: index % 11 === 0 ? 'UpstreamTimeout' : '',
    cause: index % 11 === 0 ? `route-svc did not answer within ${index} ms – 超时` : '',
    node: `gw-${index % 3}`,
    region: 'ap-guangzhou',
    platform: 'android',
    sdk_version: '8.1.6108',
    request_id: `request-${index}`,
    weight: 1 + (index % 2),
  };
}

export function sampleInterfaceMetric(index: number): InterfaceMetric {
  return {
    window_start: SAMPLE_TIME + index * 10_000,
    window_s: 10,
    sdk_app_id: 1_400_000_001,
    interface: 'openim/sendmsg',
    region: 'ap-guangzhou',
    success: 90 + index,
    caller_error: 4,
    service_error: 3,
    unknown: 2,
    codes: { '0': 90 + index, '91000': 3, none: 2 },
    latency_sum_us: 5_000_000,
    latency_max_us: 900_000,
    latency_histogram: { '-1': 1, '318': 90, '420': 8 + index },
    logged_weight: 99 + index,
  };
}

export function sampleEdgeAccount(index: number): EdgeAccount {
  return {
    time: SAMPLE_TIME + index * 60_000,
    collector: 'collector-1',
    boot: 'abcdef0123456789',
    started: SAMPLE_TIME,
    version: '0.1.0',
    sequence: index,
    chunk: 0,
    chunks: 1,
    final: false,
    partitions: [{ topic: 'im.request-log', partition: 2, last_sequence: index, records: index * 500 }],
    applications: [
      { sdk_app_id: 1_400_000_001, accepted: index * 500, sampled_out: 0, rejected: { time_too_old: 3 } },
      { sdk_app_id: 0, accepted: 0, sampled_out: 0, rejected: {} },
    ],
    covers_from: SAMPLE_TIME - 3_600_000,
    covers_to: SAMPLE_TIME,
    host: 'gateway-7',
    region: 'singapore',
    settings_hash: '0123456789ab',
    account_interval_ms: 60_000,
    spool_bytes: 4_096,
    spool_bytes_max: 1 << 28,
    waiting_batches: 2,
    sent_bytes: index * 22_000,
    retired: [],
  };
}
