import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareWorstFirst, SILENT_FROM } from '@imscope/schemas/health.js';
import { FleetNodes, NODE_STATUSES } from '@imscope/schemas/query-api/fleet-nodes.js';
import { type NodePresence, statusesOf, telemetryOf } from '../src/fleet/node-status.js';
import { openStoreAndQuery, READ_ALL, READ_FEW } from './query-under-test.js';
import { readAnswer } from './read-answer.js';
import { assertFigures, groupRows, sumWeights } from './recompute.js';
import { seededRows, type StoredRow, storedRow } from './stored-row.js';

const MINUTE_MS = 60_000;
const TO_MS = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 30 * MINUTE_MS;
const FROM_MS = TO_MS - 60 * MINUTE_MS;
const WINDOW = { from: new Date(FROM_MS).toISOString(), to: new Date(TO_MS).toISOString() };

/** A request each minute over a span, of a node of its own. */
function steady(node: string, region: string, fromMs: number, toMs: number, weight = 10): StoredRow[] {
  return Array.from({ length: (toMs - fromMs) / MINUTE_MS }, (_, index) =>
    storedRow({ time: fromMs + index * MINUTE_MS, sdk_app_id: 101, node, region, weight, block_row: index }),
  );
}

const rows: readonly StoredRow[] = [
  // Each node in one region.
  ...[101, 102, 103]
    .flatMap((sdkAppId) => seededRows({ seed: sdkAppId, count: 800, sdkAppId, fromMs: FROM_MS, toMs: TO_MS }))
    .map((row) => ({ ...row, region: row.node === 'gw-3' ? 'south' : 'north' })),
  // Silent for 20 minutes, beside gw-1 and gw-2.
  ...steady('gw-gone', 'north', FROM_MS - 60 * MINUTE_MS, TO_MS - 20 * MINUTE_MS),
  // Silent since before the window, in a region of its own.
  ...steady('gw-before', 'west', FROM_MS - 120 * MINUTE_MS, FROM_MS - 30 * MINUTE_MS),
  // Silent as well, but its whole region is.
  ...steady('gw-east-1', 'east', FROM_MS - 60 * MINUTE_MS, TO_MS - 15 * MINUTE_MS),
  ...steady('gw-east-2', 'east', FROM_MS - 60 * MINUTE_MS, TO_MS - 16 * MINUTE_MS),
  // Chance explains that this one had none for 20 minutes.
  ...steady('gw-rare', 'north', FROM_MS - 60 * MINUTE_MS, TO_MS - 20 * MINUTE_MS, 1).filter(
    (_, index) => index % 10 === 0,
  ),
];
/** Before the hours in which nodes are looked for, but within longer windows. */
const old = steady('gw-old', 'old', TO_MS - 540 * MINUTE_MS, TO_MS - 480 * MINUTE_MS);
const { query } = await openStoreAndQuery((store) => store.insert([...rows, ...old]));

const ask = async (values: Readonly<Record<string, string>> = {}, token = READ_ALL): Promise<FleetNodes> =>
  (await readAnswer(query.app, FleetNodes, 'fleet/nodes', { ...WINDOW, ...values }, token)).data;
const inWindow = ({ time }: StoredRow): boolean => time >= FROM_MS && time < TO_MS;

test('every node equals a recomputation from the logs', async () => {
  const { nodes, totals, nodes_left_out: leftOut } = await ask();
  const byNode = groupRows(rows, ({ node }) => node);
  assert.deepEqual(nodes.map(({ node }) => node).toSorted(), [...byNode.keys()].toSorted());
  const all = sumWeights(rows.filter(inWindow));
  for (const row of nodes) {
    const stored = byNode.get(row.node) ?? [];
    const own = stored.filter(inWindow);
    assertFigures(row, own, 3_600);
    assert.equal(row.share, sumWeights(own) / all);
    assert.equal(row.applications, new Set(own.map((one) => one.sdk_app_id)).size);
    assert.equal(Date.parse(row.last_seen), Math.max(...stored.map(({ time }) => time)));
    assert.equal(row.region, stored.at(-1)?.region);
  }
  assert.deepEqual([totals.nodes, totals.requests, leftOut], [byNode.size, all, 0]);
});

test('nodes that fell silent are told apart from regions without traffic, and come first', async () => {
  const { nodes, totals } = await ask();
  const statuses = Object.fromEntries(nodes.map(({ node, status }) => [node, status]));
  assert.deepEqual(statuses, {
    'gw-gone': 'fell_silent',
    'gw-before': 'fell_silent',
    'gw-east-1': 'no_traffic',
    'gw-east-2': 'no_traffic',
    'gw-1': 'heard',
    'gw-2': 'heard',
    'gw-3': 'heard',
    'gw-rare': 'heard',
  });
  assert.deepEqual(totals.by_status, { fell_silent: 2, telemetry_silent: 0, no_traffic: 2, heard: 4 });
  assert.equal(nodes.find(({ node }) => node === 'gw-gone')?.silent_s, 21 * 60);
  assert.equal(nodes.find(({ node }) => node === 'gw-rare')?.silent_s, null);
  const ranked = nodes.toSorted(
    (a, b) => NODE_STATUSES.indexOf(a.status) - NODE_STATUSES.indexOf(b.status) || compareWorstFirst(a, b),
  );
  assert.deepEqual(nodes, ranked);
});

test('a node that was heard early in a long window is in it', async () => {
  const { nodes } = await ask({ from: new Date(TO_MS - 600 * MINUTE_MS).toISOString() });
  const found = nodes.find((one) => one.node === 'gw-old');
  assert.equal(found?.requests, 600);
  assert.equal(found.region, 'old');
  assert.equal(found.status, 'fell_silent');
  assert.equal(Date.parse(found.last_seen), TO_MS - 481 * MINUTE_MS);
});

test('a limit says how many nodes it leaves out', async () => {
  const { nodes, nodes_left_out: leftOut, totals } = await ask({ limit: '3' });
  assert.deepEqual([nodes.length, leftOut, totals.nodes], [3, 5, 8]);
});

test('filters and the scope of a token narrow the nodes to their requests', async () => {
  const filtered = await ask({ region: 'south', outcome: 'service_error' });
  const kept = rows.filter((row) => row.region === 'south' && row.outcome === 'service_error');
  assert.deepEqual(
    filtered.nodes.map(({ node }) => node),
    ['gw-3'],
  );
  assert.equal(filtered.totals.requests, sumWeights(kept));
  const few = await ask({ interface: 'openim/batchsendmsg' }, READ_FEW);
  const own = rows.filter(
    (row) => inWindow(row) && row.interface === 'openim/batchsendmsg' && row.sdk_app_id !== 103,
  );
  assert.equal(few.totals.requests, sumWeights(own));
});

const END_MS = Date.UTC(2026, 0, 2);
const node = (name: string, region: string, silentMs: number, perMinute = 10): NodePresence => ({
  node: name,
  region,
  lastSeenMs: END_MS - silentMs,
  recentRequests: perMinute * 60,
  recentMs: 60 * MINUTE_MS,
});
const SOUND = { storedToMs: END_MS, isSuspect: false };

test('a node is silent once its rate lets expect more requests than chance lets vanish', () => {
  const peers = [node('b', 'north', 0), node('c', 'north', 1_000)];
  const silentMs = (SILENT_FROM / 10) * MINUTE_MS;
  const statusAfter = (ms: number) => statusesOf([node('a', 'north', ms), ...peers], SOUND).get('a');
  assert.equal(statusAfter(silentMs - 1), 'heard');
  assert.equal(statusAfter(silentMs), 'fell_silent');
});

test('while the telemetry is silent or late, no node is said to be at fault', () => {
  const nodes = [node('a', 'north', 10 * MINUTE_MS), node('b', 'north', 0)];
  assert.equal(statusesOf(nodes, { ...SOUND, isSuspect: true }).get('a'), 'telemetry_silent');
  const known = {
    status: 'unknown' as const,
    ratio: null,
    watermark: new Date(END_MS - 10 * MINUTE_MS).toISOString(),
    silent_collectors: [],
  };
  const late = telemetryOf(known, END_MS, END_MS + MINUTE_MS);
  assert.deepEqual(late, { storedToMs: END_MS - 10 * MINUTE_MS, isSuspect: true });
  const silent = { collector: 'edge-1', boot: 'x', last_heard: new Date(END_MS).toISOString() };
  const without = telemetryOf({ ...known, watermark: null, silent_collectors: [silent] }, END_MS, END_MS);
  assert.equal(without.isSuspect, true);
});

test('where all nodes are silent there is no traffic, and a lone node is compared with the other regions', () => {
  const silent = 10 * MINUTE_MS;
  const all = statusesOf([node('a', 'north', silent), node('b', 'south', silent)], SOUND);
  assert.deepEqual([...all.values()], ['no_traffic', 'no_traffic']);
  const alone = statusesOf([node('a', 'north', silent), node('b', 'south', 0)], SOUND);
  assert.equal(alone.get('a'), 'fell_silent');
});
