import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { classifyOutcome } from '@imscope/schemas/codes/catalogue.js';
import type { InterfaceRow } from '@imscope/schemas/query-api/interfaces.js';
import type { Overview } from '@imscope/schemas/query-api/overview.js';
import type { OutcomeCounts } from '@imscope/schemas/query-api/values.js';
import { driveLoad } from '../../services/access-log/test/drive-load.js';
import { type ImUpstream, startImUpstream } from '../../services/access-log/test/im-upstream.js';
import { type RunningNginx, startNginx } from '../../services/access-log/test/real-nginx.js';
import { REPO_ROOT } from '../stack/repo-root.js';
import { type Pipeline, assertBalanced, startPipeline } from '../pipeline/pipeline.js';

const LINES = 50_000;
const LOG_FORMAT =
  '{"time":"$time_iso8601","msec":$msec,"address":"$remote_addr","request":"$request","status":$status,"took":$request_time,"code":"$upstream_http_x_im_code","id":"$request_id"}';

type Line = {
  readonly request: string;
  readonly status: number;
  readonly took: number;
  readonly code: string;
};
type Counted = { requests: number; outcomes: OutcomeCounts; durationsMs: number[] };

let upstream: ImUpstream;
let nginx: RunningNginx;
let pipeline: Pipeline;
/** By application, then by interface. */
const counted = new Map<number, Map<string, Counted>>();

before(async () => {
  upstream = await startImUpstream({ isLast: true, delayMs: 5 });
  nginx = await startNginx({ logFormat: LOG_FORMAT, escape: 'json', upstreams: [upstream.address] });
  await driveLoad({ url: nginx.url, requests: LINES, connections: 64, seed: 3 });
  await nginx.stop();
  for (const line of readFileSync(nginx.accessLog, 'utf8').trimEnd().split('\n'))
    count(JSON.parse(line) as Line);
  pipeline = await startPipeline();
});

after(async () => {
  await pipeline.end();
  nginx.remove();
  await upstream.stop();
});

/** Counts a line of the file. Uses none of the code under test except the code catalogue. */
function count(line: Line): void {
  const target = new URL(line.request.split(' ')[1] ?? '', 'http://gateway');
  const application = Number(target.searchParams.get('sdkappid'));
  const interfaceName = target.pathname.replace('/v4/', '');
  const interfaces = counted.get(application) ?? new Map<string, Counted>();
  counted.set(application, interfaces);
  const found = interfaces.get(interfaceName) ?? {
    requests: 0,
    outcomes: { success: 0, caller_error: 0, service_error: 0, unknown: 0 },
    durationsMs: [],
  };
  interfaces.set(interfaceName, found);
  const code = line.code === '' || line.code === '-' ? null : Number(line.code);
  found.requests += 1;
  found.outcomes[classifyOutcome(code, line.status)] += 1;
  found.durationsMs.push(line.took * 1000);
}

function assertSame(what: string, found: InterfaceRow | Overview, expected: Counted): void {
  assert.equal(found.requests, expected.requests, `${what}: requests`);
  assert.deepEqual({ ...found.outcomes }, expected.outcomes, `${what}: outcomes`);
  const averageMs = expected.durationsMs.reduce((sum, one) => sum + one, 0) / expected.requests;
  assert.ok(
    Math.abs((found.latency_ms.avg ?? 0) - averageMs) < 1e-6,
    `${what}: average ${found.latency_ms.avg}, ${averageMs} in the file`,
  );
  const sorted = expected.durationsMs.toSorted((a, b) => a - b);
  for (const [name, quantile] of [
    ['p50', 0.5],
    ['p90', 0.9],
    ['p95', 0.95],
    ['p99', 0.99],
  ] as const) {
    const exactMs = sorted[Math.ceil(Number((quantile * sorted.length).toFixed(6))) - 1] ?? 0;
    // nginx writes integer milliseconds, also 0; the histogram counts 0 as 1 µs.
    const error = Math.abs((found.latency_ms[name] ?? 0) - exactMs);
    assert.ok(
      error <= Math.max(exactMs * 0.011, 0.001),
      `${what}: ${name} ${found.latency_ms[name]}, ${exactMs} in the file`,
    );
  }
}

test('an access log of 50,000 lines that a real nginx wrote is sent completely by one command', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      join(REPO_ROOT, 'services', 'cli', 'bin', 'imscope.js'),
      'send',
      nginx.accessLog,
      '--format',
      'nginx',
      '--log-format-file',
      nginx.configuration,
      '--code-variable',
      'upstream_http_x_im_code',
      '--collector',
      pipeline.collectorUrl,
      '--json',
    ],
    { env: { PATH: process.env['PATH'], IMSCOPE_WRITE_TOKEN: pipeline.credentials.writeToken } },
  );
  const summary = JSON.parse(stdout) as { read: number; accepted: number; rejected: number };
  assert.deepEqual([summary.read, summary.accepted, summary.rejected], [LINES, LINES, 0]);
  await pipeline.untilStored(LINES);
  await assertBalanced(pipeline, LINES);
});

test('the API answers with the file’s own counts, outcomes, averages and percentiles', async () => {
  assert.ok(counted.size >= 4);
  for (const [application, interfaces] of counted) {
    const base = `/v1/applications/${application}`;
    const { data: rows } = await pipeline.ask<InterfaceRow[]>(`${base}/interfaces?from=now-3h`);
    assert.deepEqual(new Set(rows.map((row) => row.interface)), new Set(interfaces.keys()));
    for (const row of rows) {
      assertSame(
        `${application} ${row.interface}`,
        row,
        interfaces.get(row.interface) ?? assert.fail(row.interface),
      );
    }
    const all = [...interfaces.values()];
    const { data: overview } = await pipeline.ask<Overview>(`${base}/overview?from=now-3h`);
    const sum = (of: (one: Counted) => number): number => all.reduce((total, one) => total + of(one), 0);
    assertSame(`overview of ${application}`, overview, {
      requests: sum(({ requests }) => requests),
      outcomes: {
        success: sum(({ outcomes }) => outcomes.success),
        caller_error: sum(({ outcomes }) => outcomes.caller_error),
        service_error: sum(({ outcomes }) => outcomes.service_error),
        unknown: sum(({ outcomes }) => outcomes.unknown),
      },
      durationsMs: all.flatMap(({ durationsMs }) => durationsMs),
    });
  }
});
