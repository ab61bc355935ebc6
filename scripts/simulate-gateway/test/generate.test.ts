import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import { APPLICATION_NAMES, simulatedApplications } from '../applications.js';
import { createTraffic } from '../generate.js';
import { ENDINGS } from '../outcomes.js';
import type { Batch } from '../record-writer.js';

const DAY_MS = 86_400_000;
/** Monday, 2 March 2026, 00:00 UTC. */
const MONDAY_MS = Date.UTC(2026, 2, 2);
const traffic = createTraffic({ seed: 7 });
const week = { fromMs: MONDAY_MS, toMs: MONDAY_MS + 7 * DAY_MS };
const many = traffic.records({ ...week, count: 150_000 });

function text(batches: Iterable<Batch>): string {
  return [...batches].map(({ body }) => body.toString('latin1')).join('');
}

test('the same seed, range and incidents give the same bytes from another generator', () => {
  const range = { ...week, count: 5000 };
  assert.equal(text(createTraffic({ seed: 7 }).between(range)), text(traffic.between(range)));
});

test('another seed gives other records', () => {
  const range = { ...week, count: 100 };
  assert.notEqual(text(createTraffic({ seed: 8 }).between(range)), text(traffic.between(range)));
});

test('another range of the same seed gives other request ids, so that runs do not collide', () => {
  const first = traffic.records({ ...week, count: 1000 }).map((record) => record.request_id);
  const second = traffic
    .records({ fromMs: week.fromMs, toMs: week.toMs + 1, count: 1000 })
    .map((record) => record.request_id);
  assert.equal(new Set([...first, ...second]).size, 2000);
});

test('a range has exactly its count of records, within the range, in order of time, in full batches except the last', () => {
  const sizes = [...traffic.between({ ...week, count: 1234, batchRecords: 500 })].map(({ count }) => count);
  assert.deepEqual(sizes, [500, 500, 234]);
  const times = traffic.records({ ...week, count: 1234 }).map(({ time }) => time);
  assert.equal(times.length, 1234);
  assert.ok(times.every((time) => time >= week.fromMs && time < week.toMs));
  assert.deepEqual(
    times.toSorted((a, b) => a - b),
    times,
  );
});

test('records of a range shorter than a millisecond step are within the range', () => {
  const records = traffic.records({ fromMs: MONDAY_MS, toMs: MONDAY_MS + 1, count: 10 });
  assert.deepEqual([...new Set(records.map(({ time }) => time))], [MONDAY_MS]);
});

test('JSON and NDJSON bodies hold the same records', () => {
  const range = { ...week, count: 300 };
  const lines = text(traffic.between({ ...range, format: 'ndjson' }))
    .trimEnd()
    .split('\n');
  assert.deepEqual(
    lines.map((line): unknown => JSON.parse(line)),
    traffic.records(range),
  );
});

test('the columns of a batch agree with its body', () => {
  const [batch] = traffic.between({ ...week, count: 2000, batchRecords: 2000, format: 'json' });
  assert.ok(batch);
  const records = traffic.records({ ...week, count: 2000, batchRecords: 2000 });
  records.forEach((record, index) => {
    const series = traffic.series[batch.series[index] ?? -1];
    const ending = ENDINGS[batch.endings[index] ?? -1];
    assert.equal(series?.sdkAppId, record.sdk_app_id);
    assert.equal(series.interface.name, record.interface);
    assert.equal(batch.latenciesUs[index], Math.round(record.latency_ms * 1000));
    assert.deepEqual([ending?.code, ending?.httpStatus], [record.code, record.http_status]);
  });
  const times = records.map(({ time }) => time);
  assert.deepEqual([batch.firstMs, batch.lastMs], [Math.min(...times), Math.max(...times)]);
});

test('every record is one that a gateway could have logged', () => {
  for (const record of many.slice(0, 20_000)) {
    assert.notEqual(isIP(record.exit_ip), 0, record.exit_ip);
    assert.match(record.interface, /^(?:[a-z0-9_]+\/[a-z0-9_]+|callback\/[\w.]+)$/);
    assert.match(record.node, /^sim-gw-[a-z]+-\d\d$/);
    assert.match(record.request_id, /^[0-9a-f]{16}$/);
    assert.ok(record.latency_ms > 0 && record.latency_ms < 60_000);
    assert.ok(record.latency_ms > (record.upstream_ms ?? 0));
    assert.equal(record.exception === undefined, record.cause === undefined);
    if (record.code === 0) assert.equal(record.exception, undefined);
  }
});

test('IPv4 and IPv6 addresses both occur, and no country’s application lacks addresses', () => {
  assert.deepEqual(new Set(many.map(({ exit_ip }) => isIP(exit_ip))), new Set([4, 6]));
  assert.equal(new Set(many.map(({ sdk_app_id }) => sdk_app_id)).size, 24);
});

test('applications are of Zipf size over a week: the n-th has about 1/n of the first', () => {
  const counts = new Map<number, number>();
  for (const { sdk_app_id } of many) {
    counts.set(sdk_app_id, (counts.get(sdk_app_id) ?? 0) + 1);
  }
  const sizes = traffic.applications.map(({ sdkAppId }) => counts.get(sdkAppId) ?? 0);
  sizes.forEach((size, index) => {
    const expected = (sizes[0] ?? 0) / (index + 1);
    assert.ok(Math.abs(size / expected - 1) < 0.1, `${index}: ${size} against ${expected}`);
  });
});

test('traffic follows the hours of the application’s own day', () => {
  const office = traffic.applications.find(({ type }) => type === 'office');
  assert.ok(office);
  const hours = new Float64Array(24);
  for (const { time, sdk_app_id } of many) {
    if (sdk_app_id !== office.sdkAppId) continue;
    const hour = new Date(time + office.utcOffsetHours * 3_600_000).getUTCHours();
    hours[hour] = (hours[hour] ?? 0) + 1;
  }
  assert.ok((hours[10] ?? 0) > 8 * (hours[3] ?? 0), `10 o'clock ${hours[10]}, 3 o'clock ${hours[3]}`);
  assert.ok((hours[15] ?? 0) > 2 * (hours[20] ?? 0));
});

test('failures of the service are few, mistakes of callers more, and codes of many families occur', () => {
  const success = many.filter(({ code }) => code === 0).length;
  assert.ok(success / many.length > 0.95 && success / many.length < 0.995);
  const codes = new Set(many.map(({ code }) => code));
  for (const code of [70001, 60007, 20003, 10010, 70107, 30003, 40003])
    assert.ok(codes.has(code), String(code));
});

test('some applications report callbacks, mostly successful, and the others none', () => {
  const callbacks = many.filter(({ interface: name }) => name.startsWith('callback/'));
  const applications = new Set(callbacks.map(({ sdk_app_id }) => sdk_app_id));
  assert.ok(
    applications.size >= 3 && applications.size < traffic.applications.length,
    String(applications.size),
  );
  const answered = callbacks.filter(({ code }) => code === 0).length / callbacks.length;
  assert.ok(answered > 0.98, String(answered));
});

test('latencies have a tail: p99 is several times the median', () => {
  const latencies = many
    .slice(0, 50_000)
    .map(({ latency_ms }) => latency_ms)
    .toSorted((a, b) => a - b);
  assert.ok((latencies[49_500] ?? 0) > 3 * (latencies[25_000] ?? Infinity));
});

test('some requests of one application have no code, as old gateways log none', () => {
  const parcelry = traffic.applications.find(({ codelessShare }) => codelessShare > 0);
  const own = many.filter(({ sdk_app_id }) => sdk_app_id === parcelry?.sdkAppId);
  const codeless = own.filter(({ code }) => code === null).length / own.length;
  assert.ok(codeless > 0.5 && codeless < 0.7, String(codeless));
});

test('application ids and names stay the same whatever the seed and the number of applications', () => {
  assert.deepEqual(simulatedApplications(3)[1]?.name, 'Skyraid (game)');
  assert.equal(simulatedApplications(3)[0]?.sdkAppId, 1400000123);
  assert.equal(new Set(simulatedApplications(500).map(({ sdkAppId }) => sdkAppId)).size, 500);
  for (const { sdkAppId, name } of traffic.applications) {
    assert.equal(APPLICATION_NAMES.get(sdkAppId)?.name, name);
  }
});

test('a number of applications beyond the bound is refused with the bound', () => {
  assert.throws(() => simulatedApplications(501), /from 1 to 500, received 501/);
});
