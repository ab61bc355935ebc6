import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'node:test';
import type { FleetRefusals } from '@imscope/schemas/query-api/fleet-refusals.js';
import fc from 'fast-check';
import { refusalsText } from '../src/refusals-text.js';
import { topTable } from '../src/top-table.js';
import type { ApplicationsAnswer } from '../src/query/query-client.js';
import { READ_TOKEN, runCommand, startCommand } from './run-command.js';

type Row = ApplicationsAnswer['data']['applications'][number];
const TIME = '2024-01-02T03:04:05.678Z';

function row(values: Partial<Row> = {}): Row {
  return {
    sdk_app_id: 1_400_000_001,
    name: '',
    package: '',
    owner: '',
    runbook_url: '',
    links: [],
    success_rate_interval: { low: 0.991, high: 0.995 },
    health: { tier: 'degraded', reason: 'below_target', text: '', target: 0.999 },
    change: null,
    requests: 9_000,
    requests_per_s: 10,
    outcomes: { success: 8_900, caller_error: 40, service_error: 60, unknown: 0 },
    success_rate: 8_900 / 8_960,
    latency_ms: { avg: 20, p50: 12.5, p90: 40, p95: 80, p99: 1_250.4, max: 15_000 },
    interfaces: 8,
    worst_interface: { interface: 'openim/sendmsg', service_errors: 50, success_rate: 0.98 },
    last_seen: TIME,
    sparkline: [],
    ...values,
  };
}

/** @param more applications that the page does not list */
function answer(data: Row[], more = 0): ApplicationsAnswer {
  const totals = {
    applications: data.length + more,
    requests: 9_000,
    requests_per_s: 10,
    outcomes: { success: 9_000, caller_error: 0, service_error: 0, unknown: 0 },
    success_rate: 1,
    latency_ms: { avg: 20, max: 15_000 },
    tiers: { failing: 0, degraded: data.length, healthy: 0, unjudged: 0 },
    fell_silent: 0,
  };
  return {
    data: { totals, compared_with: null, found: data.length + more, applications: data, next_cursor: null },
    window: { from: TIME, to: TIME, step: 900, source: 'logs', metrics: null, logged_share: 1 },
    completeness: { status: 'partial', ratio: 1, watermark: TIME, silent_collectors: [] },
  };
}

type Reply = (response: ServerResponse) => void;
const reply =
  (status: number, body: unknown): Reply =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

/** A fake query service that sends the replies in order, and repeats the last one. */
async function startQueryStandIn(replies: Reply[]) {
  const asked: { url: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    asked.push({ url: request.url ?? '', authorization: request.headers.authorization });
    const next = replies.length > 1 ? replies.shift() : replies[0];
    next?.(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

test('--once prints the table in the order of the answer, with the given token and window', async () => {
  const query = await startQueryStandIn([
    reply(200, answer([row(), row({ sdk_app_id: 7, success_rate: null, worst_interface: null })])),
  ]);
  try {
    const ended = await runCommand(['top', '--once', '--window', '24h', '--query', query.url]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(query.asked, [
      { url: '/v1/applications?from=now-24h&step=24h&limit=1000', authorization: `Bearer ${READ_TOKEN}` },
      { url: '/v1/refusals?from=now-24h', authorization: `Bearer ${READ_TOKEN}` },
    ]);
    const lines = ended.stdout.trimEnd().split('\n');
    assert.match(
      lines[0] ?? '',
      /imscope top {2}03:04:05 UTC, last 24h: 2 applications, stored up to 03:04:05/,
    );
    assert.match(lines[1] ?? '', /^APPLICATION +REQ\/S +SUCCESS +ERRORS +P50 +P95 +P99 +WORST INTERFACE$/);
    assert.match(
      lines[2] ?? '',
      /^ 1400000001 +10\.0 +99\.33% +60 +12\.5ms +80\.0ms +1250ms +openim\/sendmsg$/,
    );
    assert.match(lines[3] ?? '', /^ +7 +10\.0 +- +60 .* none$/);
  } finally {
    await query.stop();
  }
});

/** The table of one application with this many requests a second. */
function tableOf(requestsPerS: number): string {
  const lines = topTable([row({ requests_per_s: requestsPerS })], { columns: 100, rowsMax: 9 });
  return stripVTControlCharacters(lines.join('\n'));
}

test('few requests in a long window are not shown as none', () => {
  assert.match(tableOf(0.03), /1400000001 +<0\.1 /);
  assert.match(tableOf(0.05), /1400000001 +0\.1 /);
  assert.match(tableOf(0), /1400000001 +0\.0 /);
});

test('--json prints the answer', async () => {
  const query = await startQueryStandIn([reply(200, answer([row()]))]);
  try {
    const ended = await runCommand(['top', '--once', '--json', '--query', query.url]);
    assert.deepEqual(JSON.parse(ended.stdout), answer([row()]));
  } finally {
    await query.stop();
  }
});

const REFUSALS: FleetRefusals = {
  records: 1_234,
  applications: [
    refused(1_400_000_001, { unknown_field: 1_000, too_long: 4 }),
    refused(null, { malformed_json: 230 }),
  ],
  left_out: 0,
};

function refused(
  id: number | null,
  counts: Readonly<Record<string, number>>,
): FleetRefusals['applications'][number] {
  const reasons = Object.entries(counts).map(([reason, records]) => ({
    reason,
    records,
    meaning: '',
    advice: '',
  }));
  const names = { name: '', package: '', owner: '' };
  return {
    sdk_app_id: id,
    ...names,
    records: reasons.reduce((sum, { records }) => sum + records, 0),
    reasons,
  };
}

test('refused records are shown above the table, by reason and application, and in --json', async () => {
  const refusals = { ...answer([]), data: REFUSALS };
  const query = await startQueryStandIn([
    reply(200, answer([row()])),
    reply(200, refusals),
    reply(200, answer([])),
    reply(200, refusals),
    reply(200, answer([])),
    reply(404, { error: { code: 'not_found', message: 'no such address' } }),
  ]);
  try {
    const shown = await runCommand(['top', '--once', '--query', query.url]);
    assert.equal(
      shown.stdout.split('\n')[1],
      'refused 1,234 records: unknown_field 1,000 of 1400000001, and 2 more',
    );
    const printed = await runCommand(['top', '--once', '--json', '--query', query.url]);
    assert.deepEqual(JSON.parse(printed.stdout), { ...answer([]), refusals: REFUSALS });
    const without = await runCommand(['top', '--once', '--query', query.url]);
    assert.deepEqual([without.code, without.stdout.includes('refused')], [0, false]);
  } finally {
    await query.stop();
  }
});

test('the line of refusals names as many as fit, and never exceeds its width', () => {
  assert.equal(
    refusalsText(REFUSALS, 200),
    'refused 1,234 records: unknown_field 1,000 of 1400000001, malformed_json 230 of no application, too_long 4 of 1400000001',
  );
  for (let width = 1; width < 140; width++) assert(refusalsText(REFUSALS, width).length <= width);
  assert.equal(refusalsText({ records: 0, applications: [], left_out: 0 }, 80), '');
});

test('an empty window says so', async () => {
  const query = await startQueryStandIn([reply(200, answer([]))]);
  try {
    assert.match(
      (await runCommand(['top', '--once', '--query', query.url])).stdout,
      /no requests in this window/,
    );
  } finally {
    await query.stop();
  }
});

test('a failure is reported with what to do, and ends --once with code 1', async () => {
  const away = await startQueryStandIn([]);
  await away.stop();
  const ended = await runCommand(['top', '--once', '--query', away.url]);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /cannot reach the query service at .*ECONNREFUSED.*\.\/scripts\/start/);
  for (const [status, body, expected] of [
    [
      401,
      { error: { code: 'invalid_token', message: 'not known' } },
      /refuses the token: 401 \w+: not known; give one with scope read/,
    ],
    [200, { data: 1 }, /is no query service of this version/],
    [503, { error: { code: 'unavailable', message: 'busy \u001B[2J' } }, /answers 503 \w+: busy \uFFFD\[2J/],
  ] as const) {
    const query = await startQueryStandIn([reply(status, body)]);
    try {
      const failed = await runCommand(['top', '--once', '--query', query.url]);
      assert.equal(failed.code, 1);
      assert.match(failed.stderr, expected);
    } finally {
      await query.stop();
    }
  }
});

test('in the live table a failed request is reported and sent again, and Ctrl-C ends with code 0', async () => {
  const query = await startQueryStandIn([
    reply(503, { error: { code: 'unavailable', message: 'busy' } }),
    reply(200, answer([row()])),
  ]);
  try {
    const command = startCommand(['top', '--interval', '1', '--query', query.url]);
    await command.stdout.has('openim/sendmsg');
    command.interrupt();
    const ended = await command.ended;
    assert.equal(ended.code, 0);
    assert.match(ended.stderr, /503 \w+: busy; asking again/);
  } finally {
    await query.stop();
  }
});

test('names have a column where the terminal is wide enough, cut to their column', () => {
  const rows = [row({ name: 'A name that is longer than its column' }), row()];
  const [head, first, second] = topTable(rows, { columns: 120, rowsMax: 9 }).map(stripVTControlCharacters);
  assert.match(head ?? '', /^APPLICATION {2}NAME /);
  assert.match(first ?? '', /^ 1400000001 {2}A name that is long.{1,3} /);
  assert.match(second ?? '', /^ 1400000001 {22}/);
  const [narrow] = topTable(rows, { columns: 90, rowsMax: 9 }).map(stripVTControlCharacters);
  assert.doesNotMatch(narrow ?? '', /NAME/);
});

test('the table never exceeds 80 columns or the given rows, with any numbers', () => {
  const amount = fc.oneof(fc.constant(null), fc.double({ min: 0, max: 86_400_000, noNaN: true }));
  const rows = fc.array(
    fc
      .record({
        sdk_app_id: fc.integer({ min: 1, max: 4_294_967_295 }),
        requests_per_s: fc.double({ min: 0, max: 5e6, noNaN: true }),
        service_error: fc.integer({ min: 0, max: 2 ** 40 }),
        success_rate: fc.oneof(fc.constant(null), fc.double({ min: 0, max: 1, noNaN: true })),
        latency: amount,
        name: fc.string({ maxLength: 128 }),
      })
      .map(({ sdk_app_id, requests_per_s, service_error, success_rate, latency, name }) =>
        row({
          sdk_app_id,
          requests_per_s,
          success_rate,
          outcomes: { success: 0, caller_error: 0, service_error, unknown: 0 },
          latency_ms: { avg: latency, p50: latency, p90: latency, p95: latency, p99: latency, max: latency },
          worst_interface: { interface: name, service_errors: 1, success_rate: null },
        }),
      ),
    { minLength: 1, maxLength: 12 },
  );
  const left = fc.constantFrom(0, 3, 1_000);
  fc.assert(
    fc.property(rows, fc.integer({ min: 4, max: 20 }), left, (data, rowsMax, leftOut) => {
      const lines = topTable(data, { columns: 80, rowsMax, leftOut }).map(stripVTControlCharacters);
      assert.ok(lines.length <= Math.max(rowsMax, 3), `${lines.length} lines of ${rowsMax}`);
      for (const line of lines) assert.ok(line.length <= 79, line);
      for (const one of data.slice(0, lines.length - 2)) {
        assert.ok(
          lines.some((line) => line.trimStart().startsWith(String(one.sdk_app_id))),
          'ids are whole',
        );
      }
    }),
    { numRuns: 300 },
  );
});

const shown = (success_rate: number) =>
  stripVTControlCharacters(topTable([row({ success_rate })], { columns: 80, rowsMax: 10 })[1] ?? '');

test('100 % is shown only where nothing failed', () => {
  assert.match(shown(0.999_999), / 99\.99% /);
  assert.match(shown(1), / 100 % /);
});

const DAY_MS = 86_400_000;

test('for a window longer than logs are kept, the header names the time the answer covers', async () => {
  const to = Date.parse(TIME);
  const span = (days: number): ApplicationsAnswer => {
    const answered = answer([row()]);
    return { ...answered, window: { ...answered.window, from: new Date(to - days * DAY_MS).toISOString() } };
  };
  for (const [asked, days, expected] of [
    ['9d', 7, / UTC, last 7d \(9d asked for, no more is kept\): 1 application,/],
    ['7d', 7, / UTC, last 7d: 1 application,/],
    ['24h', 1, / UTC, last 24h: 1 application,/],
  ] as const) {
    const query = await startQueryStandIn([reply(200, span(days))]);
    try {
      const ended = await runCommand(['top', '--once', '--window', asked, '--query', query.url]);
      assert.match(ended.stdout, expected);
    } finally {
      await query.stop();
    }
  }
});

test('applications that are not shown are counted, including those the service did not list', async () => {
  const query = await startQueryStandIn([reply(200, answer([row(), row()], 1_234))]);
  try {
    const { stdout } = await runCommand(['top', '--once', '--query', query.url]);
    assert.match(stdout, /: 1,236 applications,/);
    assert.match(stdout, /and 1,234 more; the service lists 2, worst first\n$/);
  } finally {
    await query.stop();
  }
  const rows = Array.from({ length: 10 }, () => row());
  const lines = topTable(rows, { columns: 80, rowsMax: 6 }).map(stripVTControlCharacters);
  assert.equal(lines.at(-1), 'and 6 more; --json gives all');
});
