import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BuildKind } from '../../src/rollup/build-hour.js';
import {
  type CompleteBuild,
  dueBuilds,
  type LastStored,
  outdatedVersions,
  versionAt,
} from '../../src/rollup/plan-pass.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOW = Date.UTC(2026, 10, 23, 12, 30);
const HOUR = Date.UTC(2026, 10, 23, 10);
const NOTHING: LastStored = { metrics_built: new Map(), logs_counted: new Map() };
const KINDS: readonly BuildKind[] = ['metrics_built', 'logs_counted'];

/** Every hour of the last 50, in both kinds, built at a time. */
function allBuilt(builtMs: number): CompleteBuild[] {
  return Array.from({ length: 50 }, (_, index) =>
    KINDS.map((kind) => ({ kind, hourMs: HOUR + HOUR_MS - index * HOUR_MS, version: versionAt(builtMs, 1) })),
  ).flat();
}

test('every hour that ended four minutes ago is built, newest first, up to an hour before it expires', () => {
  const hours = dueBuilds([], NOTHING, NOW)
    .filter(({ kind }) => kind === 'metrics_built')
    .map(({ hourMs }) => hourMs);
  assert.equal(hours[0], Date.UTC(2026, 10, 23, 11));
  assert.equal(hours.at(-1), Date.UTC(2026, 10, 21, 14));
  assert.equal(hours.length, 46);
  const justEnded = dueBuilds([], NOTHING, Date.UTC(2026, 10, 23, 12, 3, 59));
  assert.equal(justEnded[0]?.hourMs, Date.UTC(2026, 10, 23, 10));
});

test('an hour that is built is not built again without new rows', () => {
  assert.deepEqual(dueBuilds(allBuilt(NOW - HOUR_MS), NOTHING, NOW), []);
});

test('an hour is built again where a block with rows of it was stored since, only the kind of that block', () => {
  const stored: LastStored = { ...NOTHING, logs_counted: new Map([[HOUR, NOW - 30 * MINUTE_MS]]) };
  assert.deepEqual(dueBuilds(allBuilt(NOW - HOUR_MS), stored, NOW), [{ kind: 'logs_counted', hourMs: HOUR }]);
  assert.deepEqual(dueBuilds(allBuilt(NOW - 20 * MINUTE_MS), stored, NOW), []);
});

test('late rows in many blocks build an hour every two minutes at most', () => {
  const stored: LastStored = { ...NOTHING, metrics_built: new Map([[HOUR, NOW - 1]]) };
  assert.deepEqual(dueBuilds(allBuilt(NOW - 2 * MINUTE_MS + 1), stored, NOW), []);
  assert.equal(dueBuilds(allBuilt(NOW - 2 * MINUTE_MS), stored, NOW).length, 1);
});

test('an older version is deleted ten minutes after the newer one was built', () => {
  const older = { kind: 'metrics_built', hourMs: HOUR, version: versionAt(NOW - 40 * MINUTE_MS, 1) } as const;
  const newer = { ...older, version: versionAt(NOW - 9 * MINUTE_MS, 2) };
  const stored = [older, newer];
  assert.deepEqual(outdatedVersions(stored, [older, newer], NOW), []);
  assert.deepEqual(outdatedVersions(stored, [older, newer], NOW + 2 * MINUTE_MS), [older.version]);
  // The row of the older build may have been replaced by that of the newer one.
  assert.deepEqual(outdatedVersions(stored, [newer], NOW), []);
  assert.deepEqual(outdatedVersions(stored, [newer], NOW + 2 * MINUTE_MS), [older.version]);
});

test('rows of an interrupted build are deleted, those of one in progress are not', () => {
  const interrupted = { hourMs: HOUR, version: versionAt(NOW - 11 * MINUTE_MS, 1) };
  const running = { hourMs: HOUR, version: versionAt(NOW - MINUTE_MS, 1) };
  assert.deepEqual(outdatedVersions([interrupted, running], [], NOW), [interrupted.version]);
});

test('versions of builders whose clocks agree differ, and stay exact numbers', () => {
  assert.notEqual(versionAt(NOW, 1), versionAt(NOW, 2));
  assert.ok(Number.isSafeInteger(versionAt(NOW * 4, 1_023)));
});
