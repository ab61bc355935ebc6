import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApplicationEntry, RegistryEntry } from '@imscope/schemas/registry-entry.js';
import { NO_APPLICATION_SETTINGS } from '../src/application-settings.js';
import { RegistryCopy } from '../src/registry-copy.js';

const HASH = 'a'.repeat(64);
const DEFAULTS: RegistryEntry = { kind: 'defaults', quota_per_second: 100, limit_per_second: 500 };

function application(sdkAppId: number, fields: Partial<ApplicationEntry> = {}): ApplicationEntry {
  return { kind: 'application', sdk_app_id: sdkAppId, status: 'active', region: 'singapore', ...fields };
}

function copyOf(...entries: readonly RegistryEntry[]): RegistryCopy {
  const copy = new RegistryCopy();
  for (const entry of entries) copy.apply({ key: keyOf(entry), entry });
  return copy;
}

function keyOf(entry: RegistryEntry): string {
  if (entry.kind === 'application') return `application/${entry.sdk_app_id}`;
  return entry.kind === 'token' ? `token/${entry.sha256}` : 'defaults';
}

function limitsOf(copy: RegistryCopy, sdkAppId: number): readonly number[] {
  const { quotaPerSecond, limitPerSecond } = copy.settings(sdkAppId);
  return [quotaPerSecond, limitPerSecond];
}

test('an application without limits has the defaults, also where they change later', () => {
  const copy = copyOf(application(7), application(8, { limit_per_second: 1_000 }), DEFAULTS);
  assert.deepEqual(limitsOf(copy, 7), [100, 500]);
  assert.deepEqual(limitsOf(copy, 8), [100, 1_000]);
  assert.deepEqual(limitsOf(copy, 9), [100, 500]);
  copy.apply({ key: 'defaults', entry: null });
  assert.deepEqual(limitsOf(copy, 7), [Infinity, Infinity]);
  assert.deepEqual(limitsOf(copy, 8), [Infinity, 1_000]);
  assert.deepEqual(copy.settings(9), NO_APPLICATION_SETTINGS);
});

test('a default gives way to the application’s own limit, so that no limit is below its quota', () => {
  const copy = copyOf(
    DEFAULTS,
    application(7, { limit_per_second: 50 }),
    application(8, { quota_per_second: 900 }),
  );
  assert.deepEqual(limitsOf(copy, 7), [50, 50]);
  assert.deepEqual(limitsOf(copy, 8), [900, 900]);
});

test('applications with the same settings change one by one, and each is written with its own id', () => {
  const copy = copyOf(application(7), application(8), application(9));
  copy.apply({ key: 'application/8', entry: application(8, { status: 'terminated' }) });
  assert.deepEqual(
    [7, 8, 9].map((id) => copy.settings(id).status),
    ['active', 'terminated', 'active'],
  );
  assert.deepEqual([...copy.terminated], [8]);
  assert.deepEqual(
    [...copy.entries()].map((entry) => entry.kind === 'application' && [entry.sdk_app_id, entry.status]),
    [
      [7, 'active'],
      [8, 'terminated'],
      [9, 'active'],
    ],
  );
  copy.apply({ key: 'application/8', entry: null });
  assert.equal(copy.settings(8).known, false);
  assert.equal(copy.terminated.size, 0);
});

test('a token comes back out of the copy as it was', () => {
  const token: RegistryEntry = {
    kind: 'token',
    name: 'gateway',
    sha256: HASH,
    scope: 'write',
    applications: [7, 8],
    expires_ms: 5,
    records_per_second_max: 9,
  };
  const copy = copyOf(token);
  assert.deepEqual([...copy.entries()], [token]);
  assert.deepEqual(copy.grant(HASH)?.applications, new Set([7, 8]));
});

test('a code that is no 32-bit number is left out, its neighbours are obeyed', () => {
  const copy = copyOf(
    application(7, { codes: { '90992': 'success', '99999999999': 'success', x: 'unknown' } }),
  );
  assert.deepEqual([...copy.settings(7).codes], [[90_992, 'success']]);
});

test('at its bound the copy takes no further entry, and still changes those it has', () => {
  const copy = new RegistryCopy(2);
  const apply = (entry: ApplicationEntry): boolean => copy.apply({ key: keyOf(entry), entry });
  assert.deepEqual(
    [apply(application(1)), apply(application(2)), apply(application(3))],
    [true, true, false],
  );
  assert.equal(apply(application(2, { status: 'suspended' })), true);
  assert.equal(copy.settings(2).status, 'suspended');
  copy.apply({ key: 'application/1', entry: null });
  assert.equal(apply(application(3)), true);
});

test('keys that are not kept are removed', () => {
  const copy = copyOf(application(1), application(2), DEFAULTS);
  copy.retain((key) => key === 'application/2');
  assert.deepEqual([copy.settings(1).known, copy.settings(2).known], [false, true]);
  assert.equal(copy.settings(1), copy.settings(3));
  assert.equal(copy.settings(1).quotaPerSecond, Number.POSITIVE_INFINITY);
});

test('limits and waits of single interfaces are the application’s alone', () => {
  const interfaces = [
    { interface: 'openim/sendmsg', limit_per_second: 500, waits: false },
    { interface: 'openim/getmsg', limit_per_second: null, waits: true },
  ];
  const copy = copyOf(application(7, { interfaces }), application(8));
  assert.deepEqual(
    [...copy.settings(7).interfaces],
    [
      ['openim/sendmsg', { limitPerSecond: 500, waits: false }],
      ['openim/getmsg', { limitPerSecond: null, waits: true }],
    ],
  );
  assert.equal(copy.settings(8).interfaces.size, 0);
});
