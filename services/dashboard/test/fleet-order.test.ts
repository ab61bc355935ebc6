import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareWorstFirst } from '@imscope/schemas/health.js';
import type { ApplicationRow } from '@imscope/schemas/query-api/applications.js';
import {
  arrangeApplications,
  keepOrder,
  rankApplications,
  totalFleet,
  worstInTrouble,
} from '../src/pages/fleet/fleet-order.js';
import { calmVerdict } from '../src/pages/fleet/calm-verdict.js';
import { recentTurn } from '../src/pages/fleet/recent-turn.js';

function application(id: number, success: number, serviceErrors: number, unknown = 0): ApplicationRow {
  const judged = success + serviceErrors;
  return {
    sdk_app_id: id,
    name: `Application №${id.toString()}`,
    package: 'pro',
    owner: id === 2 ? 'Payments' : '',
    requests: judged + unknown,
    requests_per_s: (judged + unknown) / 100,
    outcomes: { success, caller_error: 0, service_error: serviceErrors, unknown },
    success_rate: judged === 0 ? null : success / judged,
    latency_ms: { avg: 1, p50: 1, p90: 1, p95: judged === 0 ? null : id, p99: 1, max: 1 },
    interfaces: 1,
    worst_interface:
      serviceErrors === 0
        ? null
        : { interface: 'openim/sendmsg', service_errors: serviceErrors, success_rate: 0.5 },
    last_seen: '2026-11-23T12:00:00.000Z',
    sparkline: [],
  };
}

const ids = (ranked: readonly { row: ApplicationRow }[]): number[] => ranked.map(({ row }) => row.sdk_app_id);

const FLEET = [
  application(1, 10_000, 0),
  application(2, 9990, 60), // 99.4 %, degraded
  application(3, 900, 100), // 90 %, failing
  application(4, 0, 0, 500), // no codes
  application(5, 90_000, 3000), // 96.8 %, failing, hurts most
  application(6, 1, 1), // 50 % of two requests
];

test('the order and rank of applications are the API’s', () => {
  const ranked = rankApplications(FLEET);
  assert.deepEqual(ids(ranked), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(
    ranked.map(({ rank }) => rank),
    [1, 2, 3, 4, 5, 6],
  );
});

test('the headline names the worst application in trouble, and none where none is', () => {
  assert.equal(worstInTrouble(rankApplications(FLEET))?.row.sdk_app_id, 2);
  assert.equal(worstInTrouble(rankApplications([application(1, 10, 0), application(6, 1, 1)])), undefined);
});

test('the headline calls only judged applications healthy', () => {
  const tiers = { failing: 0, degraded: 0, healthy: 0, unjudged: 3 };
  assert.equal(calmVerdict({ tiers }, 0).tier, 'unjudged');
  assert.match(calmVerdict({ tiers }, 0).text, /No application can be judged/);
  const some = calmVerdict({ tiers: { ...tiers, healthy: 2 } }, 0);
  assert.equal(some.tier, 'healthy');
  assert.match(some.text, /No application is in trouble: .* 3 applications cannot be judged\.$/);
  const all = calmVerdict({ tiers: { ...tiers, healthy: 2, unjudged: 0 } }, 0);
  assert.match(all.text, /No application is in trouble: service errors stay below 0\.1 %, [^.]*\.$/);
});

test('in the order of the API the headline names the first row', () => {
  const ranked = rankApplications(FLEET.toSorted(compareWorstFirst));
  assert.deepEqual(ids(ranked), [5, 3, 2, 6, 1, 4]);
  assert.equal(worstInTrouble(ranked), ranked[0]);
});

test('ranks stay with their applications when the table is sorted otherwise', () => {
  const byDelay = arrangeApplications(rankApplications(FLEET), '', { column: 'p95', descending: true });
  assert.deepEqual(ids(byDelay), [6, 5, 3, 2, 1, 4]);
  assert.equal(byDelay[0]?.rank, 6);
});

test('unknown values are last in both directions', () => {
  const ranked = rankApplications(FLEET);
  for (const descending of [true, false]) {
    assert.equal(ids(arrangeApplications(ranked, '', { column: 'success_rate', descending })).at(-1), 4);
  }
});

test('an unknown column in a link leaves the worst first', () => {
  const ranked = rankApplications(FLEET);
  assert.deepEqual(arrangeApplications(ranked, '', { column: 'nonsense', descending: true }), ranked);
});

test('the search finds names and owners', () => {
  const ranked = rankApplications(FLEET);
  assert.deepEqual(ids(arrangeApplications(ranked, 'application №3', null)), [3]);
  assert.deepEqual(ids(arrangeApplications(ranked, 'payments', null)), [2]);
});

test('the search finds ids and worst interfaces', () => {
  const ranked = rankApplications(FLEET);
  assert.deepEqual(ids(arrangeApplications(ranked, ' SendMsg ', null)), [2, 3, 5, 6]);
  assert.deepEqual(ids(arrangeApplications(ranked, '4', null)), [4]);
  assert.deepEqual(arrangeApplications(ranked, 'nothing', null), []);
});

test('rows under a pointer keep their places; new ones follow', () => {
  assert.deepEqual(ids(keepOrder([3, 2, 1], rankApplications(FLEET))), [3, 2, 1, 4, 5, 6]);
});

test("totals sum every application; the fleet's rate counts judged requests only", () => {
  const totals = totalFleet(rankApplications(FLEET));
  assert.equal(totals.requests, 114_552);
  assert.equal(totals.serviceErrors, 3161);
  assert.equal(totals.unknown, 500);
  assert.equal(totals.successRate, 110_891 / 114_052);
  assert.deepEqual(totals.tiers, { failing: 2, degraded: 1, healthy: 2, unjudged: 1 });
});

test('an empty fleet has no success rate', () => {
  assert.equal(totalFleet([]).successRate, null);
});

const point = (requests: number, rate: number | null) => ({ time: '', requests, success_rate: rate });
const window = (last: number | null) => [
  ...Array.from({ length: 22 }, () => point(1000, 1)),
  point(1000, last),
  point(1000, last),
];

test('an incident that just began is shown although the average is still good', () => {
  const turn = recentTurn(window(0.9), 0.992, 'degraded');
  assert.equal(turn?.kind, 'worse');
  assert.ok(Math.abs((turn?.rate ?? 0) - 0.9) < 1e-9);
});

test('an application in trouble that ends well has recovered', () => {
  assert.equal(recentTurn(window(1), 0.95, 'failing')?.kind, 'recovered');
});

test('steady applications, and ends without a rate, have no turn', () => {
  assert.equal(recentTurn(window(1), 1, 'healthy'), null);
  assert.equal(recentTurn(window(0.95), 0.9502, 'failing'), null);
  assert.equal(recentTurn(window(null), 0.99, 'failing'), null);
  assert.equal(recentTurn([], null, 'unjudged'), null);
});

test('an end that chance explains is neither worse nor recovered', () => {
  // At 99.85 % three errors are expected of the last 2,000 requests: none is no recovery. At 99.8 % four are expected:
  // five may be chance.
  assert.equal(recentTurn(window(1), 0.9985, 'degraded'), null);
  assert.equal(recentTurn(window(0.9975), 0.998, 'degraded'), null);
  // Twice as many as expected, yet five where two and a half are expected happen by chance.
  assert.equal(recentTurn(window(0.9975), 0.99875, 'healthy'), null);
});

test('a handful of errors at the end is no turn', () => {
  assert.equal(recentTurn([point(1000, 1), point(2, 0.5)], 0.999, 'healthy'), null);
});
