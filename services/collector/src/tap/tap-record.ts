/*
 * The lines of a live tail: a record as it will be stored, with its address masked, or a refusal with its detail scrubbed.
 * Pure.
 */
import { maskIpAddress } from '@imscope/schemas/ip-address.js';
import type { NewRequestLog } from '@imscope/schemas/request-log-encoder.js';
import type { Rejection } from '../intake/reject-reasons.js';
import { scrubText } from '../intake/scrub-text.js';

/** @param weight 0: counted and not logged */
export function recordLine(record: NewRequestLog, weight: number, sender: string): string {
  const { time, latency_us, upstream_us, rtt_us, exit_ip, sdk_app_id, ...rest } = record;
  return line({
    type: 'record',
    time: new Date(time).toISOString(),
    sender,
    sdk_app_id,
    ...rest,
    exit_ip: maskedAddress(exit_ip),
    latency_ms: latency_us / 1_000,
    upstream_ms: upstream_us === null ? null : upstream_us / 1_000,
    rtt_ms: rtt_us === null ? null : rtt_us / 1_000,
    weight,
  });
}

/** @param sdkAppId 0 if it cannot be read, or is not an application of the sender */
export function rejectedLine(
  { reason, detail }: Rejection,
  sdkAppId: number,
  context: { readonly sender: string; readonly nowMs: number },
): string {
  const time = new Date(context.nowMs).toISOString();
  // A detail quotes the received value, which is not scrubbed.
  const scrubbed = scrubText(detail).text;
  return line({
    type: 'rejected',
    time,
    sender: context.sender,
    sdk_app_id: sdkAppId,
    reason,
    detail: scrubbed,
  });
}

export function line(event: object): string {
  return `${JSON.stringify(event)}\n`;
}

/** /24 of IPv4, /48 of IPv6. */
function maskedAddress(address: number | Buffer): string {
  if (typeof address !== 'number') return maskIpAddress(address);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(address);
  return `${[...bytes.subarray(0, 3), 0].join('.')}/24`;
}
