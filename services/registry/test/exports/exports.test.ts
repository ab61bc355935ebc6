/* Exports by the API, on both backends of the registry, with request logs of a real store. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { SHOWN_FIELDS } from '@imscope/schemas/shown-record.js';
import type { Export } from '@imscope/schemas/registry-api/records.js';
import { until } from '@imscope/scripts/pipeline/until.js';
import { BACKENDS, openRegistry } from '../backends.js';
import { newApplication } from '../new-application.js';
import { collect } from '../objects/test-places.js';
import { sweepExports } from '../../src/exports/sweep-exports.js';
import { logRow, openTelemetryStore } from './telemetry-store.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const TERM_MS = 7 * DAY_MS;
const FEW_TOKEN = 'test-token-of-few-applications';
const FEW = 1_400_000_900;
const TEN = 1_400_000_010;
const KEY = /^[0-9a-f]{64}$/;

const telemetry = await openTelemetryStore();
after(() => telemetry.close());
/** On a full second: the store's clock is the real one. */
const startMs = Math.floor(Date.now() / 1_000) * 1_000;
const logs = [
  logRow(startMs - 3 * DAY_MS, TEN, { exit_ip: '2001:db8:7:1::9', code: null, outcome: 'unknown' }),
  logRow(startMs - 2 * DAY_MS + 1, TEN, { code: 60_002, outcome: 'caller_error', upstream_us: 1 }),
  logRow(startMs - HOUR_MS, TEN),
  logRow(startMs - HOUR_MS, TEN + 1),
];
await telemetry.insert(logs);

for (const backend of BACKENDS) {
  void describe(backend, async () => {
    let nowMs = startMs;
    const few = { name: 'few', token: FEW_TOKEN, scope: 'admin', applications: [FEW] } as const;
    const registry = await openRegistry(backend, `exports_${backend}`, {
      now: () => nowMs,
      env: { ...telemetry.env, EXPORT_BYTES_MAX: '20000' },
      tokens: [few],
    });
    const { call } = registry;
    const keys: string[] = [];
    for (const sdkAppId of [TEN, TEN + 1, FEW]) {
      keys.push((await call('createApplication', { body: newApplication(sdkAppId) })).key);
    }
    const download = async ({ url }: Export): Promise<Record<string, unknown>[]> => {
      const answer = await fetch(new URL(url ?? '', registry.url));
      assert.equal(answer.status, 200);
      const text = gunzipSync(Buffer.from(await answer.arrayBuffer())).toString();
      return text
        .trimEnd()
        .split('\n')
        .map((line): Record<string, unknown> => JSON.parse(line));
    };
    const exportLogs = (fromMs: number, toMs: number, sdkAppId = TEN) =>
      call('createExport', {
        body: {
          kind: 'request_logs',
          sdk_app_id: sdkAppId,
          from: new Date(fromMs).toISOString(),
          to: new Date(toMs).toISOString(),
          reason: 'a test',
        },
      });
    const exportApplications = (as = call) =>
      as('createExport', { body: { kind: 'applications', reason: 'a test' } });
    const sweep = () => sweepExports(registry.state, nowMs);
    const stored = async () => (await collect(registry.state.objects.list('exports/'))).map(({ key }) => key);

    test('an export of applications holds the complete state of each, and no secret', async () => {
      const made = await exportApplications();
      assert.deepEqual([made.kind, made.rows, made.sdk_app_id], ['applications', 3, null]);
      const lines = await download(made);
      const [first] = lines;
      const application = await call('getApplication', { params: { sdk_app_id: TEN } });
      const { revision: _, secrets: __, ...expected } = application;
      assert.deepEqual(first, expected);
      const text = JSON.stringify(lines);
      for (const key of keys) {
        assert.match(key, KEY);
        assert.ok(!text.includes(key));
      }
    });

    test('an export of applications exists for its days at most', async () => {
      const { created_at: created, ends_at: ends } = await exportApplications();
      assert.equal(Date.parse(ends) - Date.parse(created), 7 * DAY_MS);
    });

    test('an administrator of some applications exports these alone, and sees no other exports', async () => {
      const as = registry.callAs(FEW_TOKEN);
      await exportApplications();
      const made = await exportApplications(as);
      assert.deepEqual(
        (await download(made)).map((line) => line['sdk_app_id']),
        [FEW],
      );
      const { exports } = await as('listExports', {});
      assert.deepEqual([...new Set(exports.map(({ author }) => author))], ['few']);
    });

    test('who takes the name of a former administrator does not see its exports', async () => {
      const named = async (applications: 'all' | number[], as = registry.call) =>
        as('createToken', { body: { name: 'former', scope: 'admin', applications, reason: 'a test' } });
      const former = await named('all');
      await exportApplications(registry.callAs(former.token));
      await registry.call('revokeToken', { params: { id: former.id } });
      const taken = await named([FEW], registry.callAs(FEW_TOKEN));
      const { exports } = await registry.callAs(taken.token)('listExports', {});
      assert.deepEqual(
        exports.filter(({ author }) => author === 'former'),
        [],
      );
    });

    test('request logs are exported with the fields of the API, with addresses masked', async () => {
      const made = await exportLogs(startMs - 3 * DAY_MS, startMs);
      const lines = await download(made);
      assert.equal(made.rows, 3);
      assert.deepEqual(
        lines.map((line) => line['exit_ip']),
        ['2001:db8:7::/48', '203.0.113.0/24', '203.0.113.0/24'],
      );
      for (const line of lines)
        assert.deepEqual(Object.keys(line).toSorted(), Object.keys(SHOWN_FIELDS).toSorted());
      const { time: _, exit_ip: __, ...second } = lines[1] ?? {};
      assert.deepEqual(second, {
        sdk_app_id: TEN,
        interface: 'openim/sendmsg',
        latency_ms: 1.5,
        upstream_ms: 0.001,
        rtt_ms: 12.345,
        code: 60_002,
        http_status: 200,
        outcome: 'caller_error',
        exception: '',
        cause: 'a “cause” with\nlines',
        node: 'gw-1',
        region: 'north',
        platform: 'android',
        sdk_version: '8.1.0',
        request_id: 'request',
        weight: 10,
      });
    });

    test('an export of request logs ends when its oldest row does', async () => {
      const made = await exportLogs(startMs - 6 * DAY_MS, startMs);
      assert.equal(Date.parse(made.ends_at), startMs - 3 * DAY_MS + TERM_MS);
      const newer = await exportLogs(startMs - 2 * DAY_MS, startMs);
      assert.equal(Date.parse(newer.ends_at), startMs - 2 * DAY_MS + 1 + TERM_MS);
    });

    test('a window is half-open', async () => {
      const made = await exportLogs(startMs - 3 * DAY_MS, startMs - 2 * DAY_MS + 1);
      assert.equal(made.rows, 1);
    });

    test('a window without rows makes no export', async () => {
      const before = await stored();
      await assert.rejects(exportLogs(startMs - 5 * DAY_MS, startMs - 4 * DAY_MS), /nothing to export/);
      assert.deepEqual(await stored(), before);
    });

    test('the export is in the audit, with its reason', async () => {
      await exportLogs(startMs - 3 * DAY_MS, startMs);
      const { entries } = await call('listAudit', { query: { sdk_app_id: TEN } });
      const [newest] = entries;
      assert.deepEqual(
        [newest?.action, newest?.actor, newest?.reason],
        ['export.create_request_logs', 'test administrator', 'a test'],
      );
    });

    for (const [what, body] of Object.entries({
      'without a window': { kind: 'request_logs', sdk_app_id: TEN },
      'with a window that ends before it begins': logsBody(startMs, startMs - 1),
      'with a time that is none': { ...logsBody(0, 1), from: 'yesterday' },
      'of applications with a window': { ...logsBody(startMs - 1, startMs), kind: 'applications' },
      'of a time past the term': logsBody(startMs - 9 * DAY_MS, startMs - 8 * DAY_MS),
    })) {
      test(`an export ${what} is refused as invalid`, async () => {
        const answer = await registry.send('/v1/registry/exports', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ ...body, reason: 'a test' }),
        });
        assert.equal(answer.status, 400);
        assert.match(await answer.text(), /"code":"invalid_parameter"/);
      });
    }

    test('request logs of an application of others are refused', async () => {
      const body = { ...logsBody(startMs - HOUR_MS, startMs), reason: 'a test' };
      await assert.rejects(registry.callAs(FEW_TOKEN)('createExport', { body }), /may not read/);
    });

    test('an export beyond its bytes is refused and leaves nothing', async () => {
      const rows = Array.from({ length: 3_000 }, (_, at) =>
        logRow(startMs - DAY_MS - at, FEW, { request_id: `${Math.random()}${Math.random()}`.slice(0, 36) }),
      );
      if (backend === BACKENDS[0]) await telemetry.insert(rows);
      const before = await stored();
      const large = exportLogs(startMs - 2 * DAY_MS, startMs, FEW);
      await assert.rejects(large, /larger than 20000 bytes.*give a shorter window/);
      assert.deepEqual(await stored(), before);
    });

    test('a link is valid for minutes, and never longer than the export', async () => {
      const made = await exportLogs(startMs - 3 * DAY_MS, startMs);
      const endsMs = Date.parse(made.ends_at);
      assert.equal(await linkMs(made), 600_000);
      nowMs = endsMs - 60_000;
      const late = await findExport(made.id);
      assert.ok(late !== undefined);
      assert.equal(await linkMs(late), 60_000);
      nowMs = endsMs;
      assert.equal(await findExport(made.id), undefined);
      nowMs = startMs;
    });

    test('a sweep deletes what has ended, and nothing before', async () => {
      const made = await exportLogs(startMs - 3 * DAY_MS, startMs);
      const key = `exports/${TEN}/${made.id}.ndjson.gz`;
      nowMs = Date.parse(made.ends_at) - 1;
      await sweep();
      assert.ok((await stored()).includes(key));
      nowMs += 1;
      await sweep();
      assert.ok(!(await stored()).includes(key));
      nowMs = startMs;
    });

    test('a sweep deletes objects that no row names once they are an hour old', async () => {
      await registry.state.objects.put(`exports/${TEN}/cut-off.ndjson.gz`, Buffer.from('cut off'));
      const named = await exportLogs(startMs - HOUR_MS, startMs);
      const cutOff = `exports/${TEN}/cut-off.ndjson.gz`;
      nowMs = Date.now();
      await sweep();
      assert.ok((await stored()).includes(cutOff));
      nowMs = Date.now() + 2 * HOUR_MS;
      await sweep();
      const left = await stored();
      assert.ok(!left.includes(cutOff));
      assert.ok(left.includes(`exports/${TEN}/${named.id}.ndjson.gz`));
      nowMs = startMs;
    });

    test('a registry that was down at the end of an export deletes it when it starts', async () => {
      const made = await exportLogs(startMs - 3 * DAY_MS, startMs);
      nowMs = Date.parse(made.ends_at);
      await registry.restart();
      await until(
        'the export is deleted',
        async () => !(await stored()).some((key) => key.includes(made.id)),
      );
      nowMs = startMs;
    });

    test('request logs of a terminated application cannot be exported', async () => {
      const { revision } = await call('getApplication', { params: { sdk_app_id: TEN + 1 } });
      await call('terminateApplication', {
        params: { sdk_app_id: TEN + 1 },
        body: { reason: 'a test' },
        revision,
      });
      await assert.rejects(exportLogs(startMs - DAY_MS, startMs, TEN + 1), /is terminated/);
    });

    test('an export of applications ends before the first of them is purged', async () => {
      const { purge_at: purgeAt } = await call('getApplication', { params: { sdk_app_id: TEN + 1 } });
      assert.ok(purgeAt !== null);
      nowMs = Date.parse(purgeAt) - DAY_MS;
      const made = await exportApplications();
      assert.equal(made.ends_at, purgeAt);
      nowMs = startMs;
    });

    test.after(() => registry.stop());

    async function findExport(id: string): Promise<Export | undefined> {
      const { exports } = await call('listExports', {});
      return exports.find((one) => one.id === id);
    }

    /** How long the link is valid from now. */
    async function linkMs({ url }: Export): Promise<number> {
      const { searchParams } = new URL(url ?? '', registry.url);
      const expires = searchParams.get('expires');
      return expires === null ? Number(searchParams.get('X-Amz-Expires')) * 1_000 : Number(expires) - nowMs;
    }
  });
}

function logsBody(fromMs: number, toMs: number) {
  const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString());
  return { kind: 'request_logs' as const, sdk_app_id: TEN, from: from ?? '', to: to ?? '' };
}
