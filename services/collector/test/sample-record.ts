/*
 * A good record as a gateway sends it, and one as it is stored, for tests to change field by field.
 */
import type { RequestLog, RequestLogJson } from '@imscope/schemas/request-log.js';
import type { ValidationContext } from '../src/intake/validate-record.js';

export const SAMPLE_TIME_MS = Date.UTC(2024, 4, 6, 7, 8, 9, 123);

export function sampleRecord(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const record: RequestLogJson = {
    time: SAMPLE_TIME_MS,
    sdk_app_id: 1_400_000_001,
    interface: 'openim/sendmsg',
    exit_ip: '203.0.113.7',
    latency_ms: 12.3456,
    upstream_ms: 10,
    rtt_ms: 0.5,
    code: 0,
    http_status: 200,
    exception: 'Timeout',
    cause: 'upstream timed out',
    node: 'gw-1',
    region: 'ap-guangzhou',
    platform: 'android',
    sdk_version: '7.9.5666',
    request_id: 'req-1',
  };
  return { ...record, ...changes };
}

export function storedRecord(changes: Partial<RequestLog> = {}): RequestLog {
  return {
    time: SAMPLE_TIME_MS,
    sdk_app_id: 1,
    interface: 'openim/sendmsg',
    exit_ip: Buffer.alloc(16),
    latency_us: 1_000,
    upstream_us: null,
    rtt_us: null,
    code: 0,
    http_status: 200,
    outcome: 'success',
    exception: '',
    cause: '',
    node: '',
    region: 'east',
    platform: '',
    sdk_version: '',
    request_id: '',
    weight: 1,
    ...changes,
  };
}

/** What a validator needs to know, at the time of the sample. */
export function validationContext(changes: Partial<ValidationContext> = {}): ValidationContext {
  return {
    nowMs: SAMPLE_TIME_MS,
    lateMsMax: 24 * 3_600_000,
    codesOf: () => new Map(),
    onDropped: () => undefined,
    onScrubbed: () => undefined,
    onIdTaken: () => undefined,
    ...changes,
  };
}
