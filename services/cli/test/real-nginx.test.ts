import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { startFakeCollector } from './fake-collector.js';
import { CREDENTIALS, driveLoad, type SeenRequest } from '../../access-log/test/drive-load.js';
import { startImUpstream } from '../../access-log/test/im-upstream.js';
import { startNginx } from '../../access-log/test/real-nginx.js';
import { runCommand } from './run-command.js';

const DELAY_MS = 30;
const upstreams = [
  await startImUpstream({ isLast: false, delayMs: DELAY_MS }),
  await startImUpstream({ isLast: true, delayMs: DELAY_MS }),
];
after(async () => {
  await Promise.all(upstreams.map((upstream) => upstream.stop()));
});

const FORMATS = [
  {
    name: 'by position, with brackets and lists',
    escape: 'default' as const,
    logFormat:
      '[$request_id] [$time_local] [$msec] [$remote_addr:$remote_port] [$status] [$upstream_status] [$request] [$http_user_agent] [$request_time] [$upstream_response_time] [$tcpinfo_rtt] [$upstream_http_x_im_code]',
  },
  {
    name: 'as JSON',
    escape: 'json' as const,
    logFormat:
      '{"time":"$time_iso8601","ms":$msec,"ip":"$remote_addr","request":"$request","status":$status,"took":$request_time,"upstream":"$upstream_response_time","code":"$upstream_http_x_im_code","rtt":"$tcpinfo_rtt","agent":"$http_user_agent","id":"$request_id"}',
  },
];

type Sent = {
  readonly sdk_app_id: number;
  readonly interface: string;
  readonly http_status: number;
  readonly code: number | null;
  readonly latency_ms: number;
  readonly upstream_ms: number | null;
  readonly rtt_ms: number | null;
  readonly exit_ip: string;
  readonly time: number;
  readonly request_id: string;
};

for (const { name, escape, logFormat } of FORMATS) {
  test(`an access log of a real nginx ${name} comes out as its clients saw it`, async () => {
    const nginx = await startNginx({
      logFormat,
      escape,
      upstreams: upstreams.map(({ address }) => address),
    });
    const collector = await startFakeCollector();
    try {
      const startMs = Date.now();
      const seen = await driveLoad({ url: nginx.url, requests: 1_000, connections: 16, seed: 20 });
      await nginx.stop();
      const endMs = Date.now();
      const ended = await runCommand([
        'send',
        nginx.accessLog,
        '--format',
        'nginx',
        '--log-format-file',
        nginx.configuration,
        '--code-variable',
        'upstream_http_x_im_code',
        '--collector',
        collector.url,
        '--json',
      ]);
      assert.equal(ended.code, 0, ended.stderr);
      const summary = JSON.parse(ended.stdout) as { read: number; accepted: number; rejected: number };
      assert.deepEqual(
        { read: summary.read, accepted: summary.accepted, rejected: summary.rejected },
        { read: 1_000, accepted: 1_000, rejected: 0 },
      );
      const sent = collector.accepted as unknown as Sent[];
      assert.deepEqual(
        countBy(sent, (one) => `${one.sdk_app_id} ${one.interface} ${one.http_status} ${one.code}`),
        countBy(seen, (one) => `${one.sdkAppId} ${one.interface} ${one.status} ${one.code}`),
      );
      assert.ok(new Set(seen.map((one) => one.status)).size >= 3, 'statuses 200, 500 and 502 were seen');
      checkDurations(sent, seen);
      for (const one of sent) {
        assert.equal(one.exit_ip, '127.0.0.1');
        assert.match(one.request_id, /^[0-9a-f]{32}$/);
        assert.ok(one.time >= startMs - 1_000 && one.time <= endMs + 1_000);
        assert.ok(one.rtt_ms !== null && one.rtt_ms >= 0 && one.rtt_ms < 1_000);
      }
      const log = readFileSync(nginx.accessLog, 'utf8');
      const left = collector.received.map(({ body }) => body).join('');
      for (const secret of Object.values(CREDENTIALS)) {
        assert.ok(log.includes(secret));
        assert.ok(!left.includes(secret));
      }
      assert.ok(!left.includes('random='));
    } finally {
      await nginx.stop();
      await collector.stop();
      nginx.remove();
    }
  });
}

/** Durations of the log are between the upstream's time and the client's. */
function checkDurations(sent: readonly Sent[], seen: readonly SeenRequest[]): void {
  const slow = seen.filter(({ random }) => random % 5 === 0);
  // Half of it: nginx reads its clock once per round of events, so its durations can be short by some ms.
  const slowInLog = sent.filter(({ latency_ms: took }) => took >= DELAY_MS / 2);
  assert.ok(slowInLog.length >= slow.length, `${slowInLog.length} of ${slow.length} slow requests`);
  const logged = sumOf(sent.map((one) => one.latency_ms));
  const waited = sumOf(seen.map((one) => one.clientMs));
  assert.ok(logged <= waited + 2 * sent.length, `${logged} ms in the log, ${waited} ms at the clients`);
  assert.ok(logged >= slow.length * (DELAY_MS / 2));
  for (const { upstream_ms: upstream, latency_ms: took } of sent) {
    assert.ok(upstream !== null && upstream <= took + 4, `${upstream} ms upstream of ${took} ms`);
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Record<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
