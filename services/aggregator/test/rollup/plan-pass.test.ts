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
const NOW = Date.UTC(2026, 10, 23, 12, 3, 59);
const HOUR = Date.UTC(2026, 10, 23, 10);
const NOTHING: LastStored = { metrics_built: new Map(), logs_counted: new Map() };
const KINDS: readonly BuildKind[] = ['metrics_built', 'logs_counted'];

/** Every hour of the last 50, in both kinds, built to its end, or of the last one to `toMs`, at a time. */
function allBuilt(builtMs: number, toMs = HOUR + 110 * MINUTE_MS): CompleteBuild[] {
  return Array.from({ length: 50 }, (_, index) => HOUR + HOUR_MS - index * HOUR_MS).flatMap((hourMs) =>
    KINDS.map((kind) => ({
      kind,
      hourMs,
      toMs: Math.min(hourMs + HOUR_MS, toMs),
      version: versionAt(builtMs, 1),
    })),
  );
}

test('every hour is built to its end, newest first, up to an hour before it expires', () => {
  const hours = dueBuilds([], NOTHING, Date.UTC(2026, 10, 23, 12, 4)).filter(
    ({ kind }) => kind === 'metrics_built',
  );
  assert.deepEqual(hours[0], {
    kind: 'metrics_built',
    hourMs: Date.UTC(2026, 10, 23, 11),
    toMs: Date.UTC(2026, 10, 23, 12),
  });
  assert.equal(hours.at(-1)?.hourMs, Date.UTC(2026, 10, 21, 14));
  assert.equal(hours.length, 46);
});

test('the hour that runs is built up to ten minutes that ended four minutes ago', () => {
  const [running, before] = dueBuilds([], NOTHING, Date.UTC(2026, 10, 23, 12, 33)).filter(
    ({ kind }) => kind === 'logs_counted',
  );
  assert.deepEqual(running, { kind: 'logs_counted', hourMs: HOUR + 2 * HOUR_MS, toMs: NOW + 961_000 });
  assert.equal(before?.hourMs, HOUR + HOUR_MS);
  const tooEarly = dueBuilds([], NOTHING, Date.UTC(2026, 10, 23, 12, 13, 59));
  assert.equal(tooEarly[0]?.hourMs, HOUR + HOUR_MS);
});

test('an hour is built again when ten more minutes of it have passed', () => {
  const builds = allBuilt(NOW - MINUTE_MS);
  const due = dueBuilds(builds, NOTHING, NOW + 1_000);
  assert.deepEqual(
    due,
    KINDS.map((kind) => ({ kind, hourMs: HOUR + HOUR_MS, toMs: HOUR + 2 * HOUR_MS })),
  );
});

test('an hour that is built is not built again without new rows', () => {
  assert.deepEqual(dueBuilds(allBuilt(NOW - HOUR_MS), NOTHING, NOW), []);
});

test('an hour is built again where a block with rows of it was stored since, only the kind of that block', () => {
  const stored: LastStored = { ...NOTHING, logs_counted: new Map([[HOUR, NOW - 30 * MINUTE_MS]]) };
  assert.deepEqual(dueBuilds(allBuilt(NOW - HOUR_MS), stored, NOW), [
    { kind: 'logs_counted', hourMs: HOUR, toMs: HOUR + HOUR_MS },
  ]);
  assert.deepEqual(dueBuilds(allBuilt(NOW - 20 * MINUTE_MS), stored, NOW), []);
});

test('rows of minutes that are not built yet do not build an hour again', () => {
  const runningMs = HOUR + HOUR_MS;
  const after: LastStored = { ...NOTHING, metrics_built: new Map([[runningMs + 50 * MINUTE_MS, NOW]]) };
  const within: LastStored = { ...NOTHING, metrics_built: new Map([[runningMs + 40 * MINUTE_MS, NOW]]) };
  assert.deepEqual(dueBuilds(allBuilt(NOW - 9 * MINUTE_MS), after, NOW), []);
  assert.equal(dueBuilds(allBuilt(NOW - 9 * MINUTE_MS), within, NOW)[0]?.hourMs, runningMs);
});

test('late rows in many blocks build an hour every two minutes at most', () => {
  const stored: LastStored = { ...NOTHING, metrics_built: new Map([[HOUR, NOW - 1]]) };
  assert.deepEqual(dueBuilds(allBuilt(NOW - 2 * MINUTE_MS + 1), stored, NOW), []);
  assert.equal(dueBuilds(allBuilt(NOW - 2 * MINUTE_MS), stored, NOW).length, 1);
});

test('an older version is deleted ten minutes after the newer one was built', () => {
  const older = {
    kind: 'metrics_built',
    hourMs: HOUR,
    toMs: HOUR + HOUR_MS,
    version: versionAt(NOW - 40 * MINUTE_MS, 1),
  } as const;
  const newer = { ...older, version: versionAt(NOW - 9 * MINUTE_MS, 2) };
  const stored = [older, newer];
  assert.deepEqual(outdatedVersions(stored, [older, newer], NOW), []);
  assert.deepEqual(outdatedVersions(stored, [older, newer], NOW + 2 * MINUTE_MS), [older.version]);
  // The row of the older build may have been replaced by that of the newer one.
  assert.deepEqual(outdatedVersions(stored, [newer], NOW), []);
  assert.deepEqual(outdatedVersions(stored, [newer], NOW + 2 * MINUTE_MS), [older.version]);
});

test('of an hour that is built every ten minutes, the versions before the last old one are deleted', () => {
  const built = (kind: BuildKind, minutesAgo: number): CompleteBuild => ({
    kind,
    hourMs: HOUR,
    toMs: HOUR + HOUR_MS - minutesAgo * MINUTE_MS,
    version: versionAt(NOW - minutesAgo * MINUTE_MS, 1),
  });
  const [first, second] = [built('metrics_built', 31), built('metrics_built', 21)];
  const builds = [
    first,
    second,
    built('metrics_built', 11),
    built('metrics_built', 1),
    built('logs_counted', 35),
  ];
  assert.deepEqual(outdatedVersions(builds, builds, NOW), [first.version, second.version]);
});

test('rows of an interrupted build are deleted, those of one in progress are not', () => {
  const interrupted = {
    kind: 'metrics_built',
    hourMs: HOUR,
    version: versionAt(NOW - 11 * MINUTE_MS, 1),
  } as const;
  const running = { ...interrupted, version: versionAt(NOW - MINUTE_MS, 1) };
  assert.deepEqual(outdatedVersions([interrupted, running], [], NOW), [interrupted.version]);
});

test('versions of builders whose clocks agree differ, and stay exact numbers', () => {
  assert.notEqual(versionAt(NOW, 1), versionAt(NOW, 2));
  assert.ok(Number.isSafeInteger(versionAt(NOW * 4, 1_023)));
});
