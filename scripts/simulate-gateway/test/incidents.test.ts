import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTraffic, type GatewayRecord } from '../generate.js';
import * as incidents from '../incidents.js';
import { incident, IncidentSchedule, type IncidentName } from '../incidents.js';
import { loadAddressRanges } from '../networks.js';
import { pastIncident } from '../past-incident.js';

const FROM_MS = Date.UTC(2026, 2, 4, 12);
const TO_MS = FROM_MS + 600_000;
const MIDDLE_MS = FROM_MS + 300_000;
const traffic = createTraffic({ seed: 3 });
const second = traffic.applications[1]?.sdkAppId;

/** Ten minutes with an incident in the second half, and the same without. */
function halves(name: IncidentName, count = 60_000) {
  const range = { fromMs: FROM_MS, toMs: TO_MS, count };
  const hit = traffic.records({ ...range, incidents: [incident(name, MIDDLE_MS, TO_MS)] });
  return {
    before: hit.filter(({ time }) => time < MIDDLE_MS),
    during: hit.filter(({ time }) => time >= MIDDLE_MS),
    healthy: traffic.records(range),
  };
}

function share(records: readonly GatewayRecord[], fits: (record: GatewayRecord) => boolean): number {
  return records.length === 0 ? 0 : records.filter(fits).length / records.length;
}

function median(records: readonly GatewayRecord[]): number {
  const latencies = records.map(({ latency_ms }) => latency_ms).toSorted((a, b) => a - b);
  return latencies[Math.floor(latencies.length / 2)] ?? 0;
}

const isBurst = ({ code }: GatewayRecord) => code !== null && code >= 90_990 && code < 92_000;

const isBurstTarget = (record: GatewayRecord) =>
  record.sdk_app_id === second && record.interface === incidents.ERROR_BURST_INTERFACE;
const isSlowTarget = (record: GatewayRecord) => record.interface === incidents.SLOW_INTERFACE;
const timedOut = ({ exception }: GatewayRecord) => exception === 'ClientNetworkTimeout';

test('an error burst fails one interface of one application with internal codes, and nothing else', () => {
  const { before, during } = halves('error-burst');
  assert.ok(share(during.filter(isBurstTarget), isBurst) > 0.45);
  assert.ok(share(before.filter(isBurstTarget), isBurst) < 0.01);
  assert.ok(
    share(
      during.filter((record) => !isBurstTarget(record)),
      isBurst,
    ) < 0.01,
  );
});

test('an error burst leaves every record before it as it is without the incident', () => {
  const { before, healthy } = halves('error-burst', 5000);
  assert.deepEqual(before, healthy.slice(0, before.length));
});

test('a bad provider slows and times out its own addresses only', () => {
  const { during } = halves('bad-isp');
  const ranges = loadAddressRanges().get(incidents.BAD_ISP_ASN);
  const isHit = ({ exit_ip }: GatewayRecord) => {
    if (exit_ip.includes(':')) return false;
    const address = exit_ip.split('.').reduce((number, octet) => number * 256 + Number(octet), 0);
    return ranges?.v4.some(([first, last]) => first <= address && address <= last) === true;
  };
  const hit = during.filter(isHit);
  const others = during.filter((record) => !record.exit_ip.includes(':') && !isHit(record));
  assert.ok(hit.length > 500, String(hit.length));
  assert.ok(share(hit, timedOut) > 0.1);
  assert.equal(share(others, timedOut), 0);
  assert.ok(median(hit) > 2 * median(others));
});

test('a slow interface is slow for every application, and other interfaces are not', () => {
  const { before, during } = halves('slow-interface');
  assert.ok(median(during.filter(isSlowTarget)) > 3 * median(before.filter(isSlowTarget)));
  const others = (records: readonly GatewayRecord[]) =>
    median(records.filter((record) => !isSlowTarget(record)));
  assert.ok(others(during) / others(before) < 1.1);
});

test('a noisy application sends about twenty times as much against the others', () => {
  const { before, during } = halves('noisy-application');
  const noisy = traffic.applications[10]?.sdkAppId;
  const isNoisy = (record: GatewayRecord) => record.sdk_app_id === noisy;
  const odds = (records: readonly GatewayRecord[]) => share(records, isNoisy) / (1 - share(records, isNoisy));
  const factor = odds(during) / odds(before);
  assert.ok(factor > 16 && factor < 25, String(factor));
  const strength = traffic.strength(MIDDLE_MS, [incident('noisy-application', MIDDLE_MS, TO_MS)]);
  assert.ok(strength > 1.2, String(strength));
  assert.equal(traffic.strength(MIDDLE_MS - 1, [incident('noisy-application', MIDDLE_MS, TO_MS)]), 1);
});

test('late clocks set back the times of their nodes and of no other', () => {
  const range = { fromMs: FROM_MS, toMs: TO_MS, count: 20_000 };
  const records = traffic.records({ ...range, incidents: [incident('late-clocks', FROM_MS, TO_MS)] });
  const healthy = traffic.records(range);
  records.forEach((record, index) => {
    const behindMs = incidents.LATE_CLOCK_NODES.includes(record.node) ? incidents.LATE_CLOCK_BEHIND_MS : 0;
    assert.equal(record.time, (healthy[index]?.time ?? 0) - behindMs);
  });
  assert.ok(records.some(({ node }) => incidents.LATE_CLOCK_NODES.includes(node)));
});

test('a schedule remembers ended incidents and restarts one of the same name', () => {
  const schedule = new IncidentSchedule();
  schedule.add(incident('bad-isp', 1000, Infinity));
  schedule.add(incident('bad-isp', 2000, 3000));
  assert.deepEqual(
    schedule.all().map(({ fromMs, toMs }) => [fromMs, toMs]),
    [
      [1000, 2000],
      [2000, 3000],
    ],
  );
  assert.equal(schedule.at(2500).length, 1);
  assert.equal(schedule.end('healthy', 2600), 1);
  assert.deepEqual(schedule.at(2600), []);
});

test('a schedule forgets the earliest ended beyond its bound, never one that runs', () => {
  const schedule = new IncidentSchedule([incident('slow-interface', 0, Infinity)]);
  for (let at = 1; at <= incidents.INCIDENTS_MAX + 10; at++)
    schedule.add(incident('bad-isp', at * 10, at * 10 + 5));
  assert.equal(schedule.all().length, incidents.INCIDENTS_MAX);
  assert.deepEqual(
    schedule.at(1_000_000).map(({ name }) => name),
    ['slow-interface'],
  );
});

test('the past incident lies inside the history, where the application is busy', () => {
  const toMs = Date.UTC(2026, 2, 10, 4, 30);
  const known = pastIncident(traffic.applications, 3, toMs - 6 * 86_400_000, toMs);
  // Tuktuk Mall at UTC+7 is busiest from 20 to 21 o'clock.
  assert.equal(new Date((known.fromMs + known.toMs) / 2 + 7 * 3_600_000).getUTCHours(), 20);
  const short = pastIncident(traffic.applications, 3, toMs - 600_000, toMs);
  assert.ok(short.fromMs > toMs - 600_000 && short.toMs < toMs && short.toMs > short.fromMs);
});
