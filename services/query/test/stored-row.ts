/*
 * Rows of request_log as tests write them, and seeded ones in any number.
 */
import type { Outcome } from '@imscope/schemas/outcome.js';

export type StoredRow = {
  /** Epoch milliseconds. */
  readonly time: number;
  readonly sdk_app_id: number;
  readonly interface: string;
  readonly exit_ip: string;
  readonly latency_us: number;
  readonly upstream_us: number | null;
  readonly rtt_us: number | null;
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
  readonly weight: number;
  /** As text: JSON numbers end at 2^53. */
  readonly block_id: string;
  readonly block_row: number;
};

export function storedRow(given: Partial<StoredRow> & Pick<StoredRow, 'time' | 'sdk_app_id'>): StoredRow {
  return {
    interface: 'openim/sendmsg',
    exit_ip: '::ffff:203.0.113.7',
    latency_us: 1_000,
    upstream_us: null,
    rtt_us: null,
    code: 0,
    http_status: 200,
    outcome: 'success',
    exception: '',
    cause: '',
    node: 'gw-1',
    region: 'north',
    platform: 'android',
    sdk_version: '8.1.0',
    request_id: '',
    weight: 1,
    block_id: '1',
    block_row: 0,
    ...given,
  };
}

/** Numbers in [0, 1) that are the same at every run (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Kind = Pick<StoredRow, 'code' | 'outcome' | 'exception' | 'http_status'>;

/** Successes, callers' faults, our faults with and without exceptions, and requests without a code. */
const KINDS: readonly Kind[] = [
  ...Array.from({ length: 12 }, () => ({
    code: 0,
    outcome: 'success' as const,
    exception: '',
    http_status: 200,
  })),
  { code: 60_002, outcome: 'caller_error', exception: '', http_status: 200 },
  { code: 70_001, outcome: 'caller_error', exception: 'UsersigExpired', http_status: 200 },
  { code: 91_000, outcome: 'service_error', exception: 'UpstreamTimeout', http_status: 200 },
  { code: 60_008, outcome: 'service_error', exception: '', http_status: 504 },
  { code: null, outcome: 'service_error', exception: 'BadGateway', http_status: 502 },
  { code: null, outcome: 'unknown', exception: '', http_status: 200 },
];

/** @param count rows, spread evenly over [fromMs, toMs), with weights of 1 to 5 */
export function seededRows(options: {
  readonly seed: number;
  readonly count: number;
  readonly sdkAppId: number;
  readonly fromMs: number;
  readonly toMs: number;
}): StoredRow[] {
  const { count, sdkAppId, fromMs, toMs } = options;
  const random = seededRandom(options.seed);
  const pick = <T>(of: readonly T[]): T => {
    const picked = of[Math.floor(random() * of.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  };
  return Array.from({ length: count }, (_, index) => {
    const kind = pick(KINDS);
    return storedRow({
      ...kind,
      time: fromMs + Math.floor(((toMs - fromMs) * index) / count),
      sdk_app_id: sdkAppId,
      interface: pick(['openim/sendmsg', 'openim/batchsendmsg', 'profile/portrait_set']),
      exit_ip: pick(['::ffff:203.0.113.7', '::ffff:198.51.100.200', '2001:db8:aaaa:bbbb::1']),
      // From 0 to about 20 s, with a long tail.
      latency_us: Math.floor(Math.exp(random() * 17) - 1),
      upstream_us: random() < 0.5 ? null : Math.floor(random() * 10_000),
      cause:
        kind.exception === ''
          ? ''
          : pick(['upstream timed out', 'connection reset', 'no route', 'queue full']),
      node: pick(['gw-1', 'gw-2', 'gw-3']),
      region: pick(['north', 'south']),
      platform: pick(['android', 'ios', 'web']),
      sdk_version: pick(['8.1.0', '8.2.0']),
      request_id: `${sdkAppId}-${options.seed}-${index}`,
      weight: 1 + Math.floor(random() * 5),
      block_id: String(18_446_744_073_709_551_000n + BigInt(Math.floor(index / 1000))),
      block_row: index % 1000,
    });
  });
}
