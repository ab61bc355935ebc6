import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_THRESHOLDS, healthOf, healthText } from '@imscope/schemas/health.js';
import type { ApplicationRow } from '@imscope/schemas/query-api/applications.js';
import { keepOrder, orderParameters, worstInTrouble } from '../src/pages/fleet/fleet-order.js';
import { calmVerdict } from '../src/pages/fleet/calm-verdict.js';
import { recentTurn } from '../src/pages/fleet/recent-turn.js';

function application(id: number, success: number, serviceErrors: number, unknown = 0): ApplicationRow {
  const judged = success + serviceErrors;
  const health = healthOf({ success, service_error: serviceErrors }, DEFAULT_THRESHOLDS);
  return {
    sdk_app_id: id,
    name: `Application №${id.toString()}`,
    package: 'pro',
    owner: id === 2 ? 'Payments' : '',
    runbook_url: '',
    links: [],
    success_rate_interval: null,
    health: { ...health, text: healthText(health, { success, service_error: serviceErrors }), target: 0.999 },
    change: null,
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

const FLEET = [application(5, 90_000, 3000), application(2, 9990, 60), application(6, 1, 1)];

test('the headline names the worst application in trouble, and none where none is', () => {
  assert.equal(worstInTrouble(FLEET)?.sdk_app_id, 5);
  assert.equal(worstInTrouble([application(6, 1, 1), application(1, 10, 0)]), undefined);
  assert.equal(worstInTrouble([]), undefined);
});

test('the headline calls only judged applications healthy', () => {
  const tiers = { failing: 0, degraded: 0, healthy: 0, unjudged: 3 };
  assert.equal(calmVerdict({ tiers }).tier, 'unjudged');
  assert.match(calmVerdict({ tiers }).text, /No application can be judged/);
  const some = calmVerdict({ tiers: { ...tiers, healthy: 2 } });
  assert.equal(some.tier, 'healthy');
  assert.match(some.text, /No application is in trouble: .* 3 applications cannot be judged\.$/);
  const all = calmVerdict({ tiers: { ...tiers, healthy: 2, unjudged: 0 } });
  assert.match(all.text, /No application is in trouble: service errors stay below 0\.1 %, [^.]*\.$/);
});

test('a column of the table is an order of the API', () => {
  assert.deepEqual(orderParameters({ column: 'p95', descending: true }), {
    sort: 'delay_p95',
    order: 'desc',
  });
  assert.deepEqual(orderParameters({ column: 'application', descending: false }), {
    sort: 'id',
    order: 'asc',
  });
});

test('an unknown column in a link, and none, leave the worst first', () => {
  assert.deepEqual(orderParameters({ column: 'nonsense', descending: true }), {});
  assert.deepEqual(orderParameters(null), {});
});

test('rows under a pointer keep their places; new ones follow', () => {
  const kept = keepOrder([6, 2], FLEET).map((row) => row.sdk_app_id);
  assert.deepEqual(kept, [6, 2, 5]);
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
